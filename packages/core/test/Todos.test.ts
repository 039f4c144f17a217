import { assert, layer } from "@effect/vitest"
import { CurrentUser, TodoId, Todos } from "@todo/core"
import { layerDatabase, newUser } from "@todo/core/testing"
import { Effect, Layer } from "effect"
import { randomUUID } from "node:crypto"

const asNewUser = <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.provideService(self, CurrentUser, newUser())

layer(Todos.layer.pipe(Layer.provideMerge(layerDatabase)), { excludeTestServices: true })("Todos", (it) => {
  it.effect("creates a todo with defaults and gives it back as it is", () =>
    Effect.gen(function* () {
      const todos = yield* Todos
      const created = yield* todos.create({ title: "Buy milk" })
      assert.deepStrictEqual({ ...created, id: "", createdAt: "", updatedAt: "" }, {
        id: TodoId.make(created.id) && "",
        title: "Buy milk",
        description: null,
        completed: false,
        completedAt: null,
        priority: "none",
        due: null,
        tags: [],
        listId: null,
        position: "a1",
        revision: 1,
        createdAt: "",
        updatedAt: "",
        deletedAt: null
      } as never)
      assert.match(created.createdAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
      assert.deepStrictEqual(yield* todos.get(created.id), created)
    }).pipe(asNewUser)
  )

  it.effect("changes only what a patch says", () =>
    Effect.gen(function* () {
      const todos = yield* Todos
      const created = yield* todos.create({
        title: "a",
        description: "b",
        tags: ["x", "y"],
        priority: "high",
        due: { dateTime: "2026-12-01T09:00:00", timeZone: "Europe/Paris" }
      })
      const updated = yield* todos.update(created.id, { title: "c" })
      assert.deepStrictEqual(updated, { ...created, title: "c", revision: 2, updatedAt: updated.updatedAt })
      const cleared = yield* todos.update(created.id, { description: null, due: null })
      assert.deepStrictEqual(cleared, {
        ...updated,
        description: null,
        due: null,
        revision: 3,
        updatedAt: cleared.updatedAt
      })
      assert.deepStrictEqual(yield* todos.update(created.id, {}), cleared)
      assert.deepStrictEqual(yield* todos.update(created.id, { title: "c", tags: ["x", "y"] }), cleared)
      const done = yield* todos.complete(created.id)
      assert.isTrue(done.completed)
      assert.deepStrictEqual(yield* todos.complete(created.id), done)
      assert.isNull((yield* todos.reopen(created.id)).completedAt)
      yield* todos.delete(created.id)
      assert.strictEqual((yield* Effect.flip(todos.get(created.id)))._tag, "TodoNotFound")
      const put = yield* Effect.flip(todos.put(created.id, { title: "x" }))
      assert.strictEqual(put._tag, "Conflict")
      assert.isNull((yield* todos.restore(created.id)).deletedAt)
      const mismatch = yield* Effect.flip(todos.update(created.id, { title: "z" }, { ifRevision: [1] }))
      assert.deepInclude(mismatch, { _tag: "RevisionMismatch", current: 7 })
      const other = TodoId.make(randomUUID())
      assert.isTrue((yield* todos.put(other, { title: "put" })).created)
      assert.isFalse((yield* todos.put(other, { title: "put2" })).created)
      console.log(yield* todos.list({}), yield* todos.list({ limit: 1, sort: "-createdAt" }))
    }).pipe(asNewUser)
  )
})
