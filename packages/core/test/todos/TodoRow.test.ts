import { assert, it, layer } from "@effect/vitest"
import { CurrentUser, Services, Todos } from "@todo/core"
import { newUser } from "@todo/core/testing"
import { Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { newTodo } from "../support/arbitraries.ts"
import { layerDatabase } from "../support/host.ts"
import { toTodo } from "../../src/todos/TodoRow.ts"

/** What a `Date` can hold. */
const Moment = Schema.Int.check(Schema.isBetween({ minimum: -8.64e15, maximum: 8.64e15 }))
const recent = Schema.Int.check(Schema.isBetween({ minimum: 1.79e12, maximum: 1.79e12 + 2 * 86_400_000 }))
const day = 86_400_000

it.prop(
  "moments are written as Date does, in whatever order",
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
        const row = [
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
        const { createdAt, updatedAt } = toTodo(row)
        return [createdAt, updatedAt]
      }),
      valid.map((moment) => [new Date(moment).toISOString(), new Date(moment).toISOString()])
    )
  }
)

layer(Services.layer.pipe(Layer.provideMerge(layerDatabase)), { excludeTestServices: true })("A row", (it) => {
  it.effect.prop("is the same todo whether the database or we put it together", [newTodo], ([todo]) =>
    Effect.gen(function* () {
      const todos = yield* Todos
      // What a write answers is put together by the database.
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

  it.effect("is the same in a session that writes dates another way, in another zone", () =>
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
