import { assert, it, layer } from "@effect/vitest"
import { CurrentUser, Services, Todos } from "@todo/core"
import { newUser } from "@todo/core/testing"
import { Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { PageRow } from "../../src/database/KeysetPage.ts"
import { newTodo } from "../support/arbitraries.ts"
import { layerDatabase } from "../support/host.ts"
import { fastRows } from "../../src/todos/fastRows.ts"

/** The range of `Date`. */
const Moment = Schema.Int.check(Schema.isBetween({ minimum: -8.64e15, maximum: 8.64e15 }))
const recent = Schema.Int.check(Schema.isBetween({ minimum: 1.79e12, maximum: 1.79e12 + 2 * 86_400_000 }))
const day = 86_400_000

it.prop(
  "timestamps have the same text as those of Date, in any order",
  [Schema.Array(Schema.Union([Moment, recent]))],
  ([some]) => {
    const moments = [
      ...some,
      ...some.map((moment) => Math.floor(moment / day) * day),
      ...some.map((moment) => Math.ceil(moment / day) * day - 1)
    ]
    const valid = moments.filter((moment) => Math.abs(moment) <= 8.64e15)
    assert.deepStrictEqual(
      valid.map((moment) => {
        const row: PageRow = [
          null,
          "id",
          "title",
          null,
          null,
          0,
          null,
          null,
          "",
          [],
          null,
          "a1",
          1,
          moment,
          moment + 0.0001,
          null
        ]
        const { createdAt, updatedAt } = fastRows.toTodo(row)
        return [createdAt, updatedAt]
      }),
      valid.map((moment) => [new Date(moment).toISOString(), new Date(moment).toISOString()])
    )
  }
)

layer(Services.layer.pipe(Layer.provideMerge(layerDatabase)), { excludeTestServices: true })("a row", (it) => {
  it.effect.prop("a todo from JSON of the database equals the todo from its columns", [newTodo], ([todo]) =>
    Effect.gen(function* () {
      const todos = yield* Todos
      // The database builds the JSON that a write returns.
      const written = yield* todos.create(todo)
      assert.deepStrictEqual(yield* todos.get(written.id), written)
      yield* todos.delete(written.id)
      const { items } = yield* todos.list({ deleted: true, sort: "due" })
      const { completed: _, deletedAt, revision, updatedAt, ...kept } = items[0] ?? written
      assert.deepInclude(written, kept)
      assert.strictEqual(revision, 2)
      assert.strictEqual(deletedAt, updatedAt)
    }).pipe(Effect.provideService(CurrentUser, newUser()))
  )

  it.effect("a todo does not depend on the date style and time zone of the session", () =>
    Effect.gen(function* () {
      const todos = yield* Todos
      const sql = yield* SqlClient.SqlClient
      const written = yield* todos.create({ title: "a", due: { date: "2026-12-01" }, completed: true })
      const timed = { dateTime: "2026-02-03T04:05:06", timeZone: "Europe/Paris" } as const
      const other = yield* todos.create({ title: "b", due: timed })
      const [one, two] = yield* sql.withTransaction(
        Effect.gen(function* () {
          yield* sql`set local datestyle to 'German, DMY'`
          yield* sql`set local timezone to 'Asia/Kathmandu'`
          return [yield* todos.get(written.id), yield* todos.get(other.id)]
        })
      )
      assert.deepStrictEqual([one, two], [written, other])
    }).pipe(Effect.provideService(CurrentUser, newUser()))
  )
})
