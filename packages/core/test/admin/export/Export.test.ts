import { assert, layer } from "@effect/vitest"
import { CurrentUser, TodoId, Todos, UserId } from "@todo/core"
import { Export } from "@todo/core/admin"
import { newUser } from "@todo/core/testing"
import { Effect, Stream } from "effect"
import { asOwner } from "../../support/connections.ts"
import { exported, linesOf } from "../../support/exports.ts"
import { purgeAsSuperuser } from "../../support/feed.ts"
import { asNewUser, live, newTodoId, services, tagOf } from "../../support/suite.ts"

layer(services, live)("an export", (it) => {
  it.effect(
    "an export has all lists and todos of one user by id, including the trash, between a header and counts",
    () =>
      Effect.gen(function* () {
        const { id } = yield* CurrentUser
        const todos = yield* Todos
        const nil = "00000000-0000-0000-0000-000000000000"
        const made = [
          (yield* todos.put(TodoId.make(nil), { title: "first of all ids" })).todo,
          yield* todos.create({ title: "B", due: { dateTime: "2026-12-01T09:00:00", timeZone: "europe/PARIS" } })
        ]
        const trashed = yield* todos.delete((yield* todos.create({ title: "C" })).id)
        yield* Effect.provideService(todos.create({ title: "another user's" }), CurrentUser, newUser())

        const [header, ...rest] = linesOf(yield* exported(id))
        const { user } = header as { user: object }
        assert.deepInclude(header, { format: "todo-export", version: 1 })
        assert.deepInclude(user, { id, revision: 4, horizon: 0, disabledAt: null, writtenAt: trashed.updatedAt })
        assert.deepStrictEqual(rest, [
          ...[...made, trashed].toSorted((a, b) => (a.id < b.id ? -1 : 1)).map((todo) => ({ todo })),
          { end: { lists: 0, todos: 3 } }
        ])
        assert.strictEqual(yield* exported(id), yield* exported(id))
      }).pipe(asNewUser)
  )

  it.effect("an export has the horizon of purged rows, even if no row is left", () =>
    Effect.gen(function* () {
      const { id } = yield* CurrentUser
      const todos = yield* Todos
      yield* todos.delete((yield* todos.create({ title: "gone" })).id)
      yield* purgeAsSuperuser
      const [header, trailer] = linesOf(yield* exported(id))
      assert.nestedInclude(header, { "user.revision": 2, "user.horizon": 2 })
      assert.deepStrictEqual(trailer, { end: { lists: 0, todos: 0 } })
    }).pipe(asNewUser)
  )

  it.effect("an export is a snapshot: writes during the export do not appear in it", () =>
    Effect.gen(function* () {
      const user = yield* CurrentUser
      const todos = yield* Todos
      const { id } = yield* todos.create({ title: "before" })
      const before = yield* exported(user.id)
      const context = yield* Effect.context<CurrentUser>()
      const during = yield* asOwner(
        Export.snapshot(user.id, (snapshot) =>
          Effect.gen(function* () {
            yield* todos.update(id, { title: "after" })
            yield* todos.put(newTodoId(), { title: "new" })
            return yield* Stream.mkString(Export.toLines(snapshot))
          }).pipe(Effect.provideContext(context))
        )
      )
      assert.strictEqual(during, before)
      assert.notStrictEqual(yield* exported(user.id), before)
    }).pipe(asNewUser)
  )

  it.effect("an export of more rows than one page has each row once", () =>
    Effect.gen(function* () {
      const { id } = yield* CurrentUser
      const todos = yield* Todos
      for (let n = 0; n < 10; n++) {
        yield* todos.batch(Array.from({ length: 100 }, () => ({ op: "create" as const, todo: { title: "x" } })))
      }
      const ids = linesOf(yield* exported(id)).flatMap((line) =>
        "todo" in line ? [(line.todo as { id: string }).id] : []
      )
      assert.lengthOf(ids, 1_000)
      assert.deepStrictEqual(ids, [...new Set(ids)].toSorted())
    }).pipe(asNewUser)
  )

  it.effect("an export of a user who has never written is UserNotFound", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* tagOf(exported(newUser().id)), "UserNotFound")
      assert.strictEqual(yield* tagOf(exported(UserId.make("' or true --"))), "UserNotFound")
    })
  )
})
