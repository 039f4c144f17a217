import { assert, layer } from "@effect/vitest"
import { ListId, type TodoOperation, Todos } from "@todo/core"
import { Effect } from "effect"
import { randomUUID } from "node:crypto"
import { asNewUser, ids, live, newTodoId, services, walkTodos } from "../support/suite.ts"

const creations = (count: number): ReadonlyArray<TodoOperation> =>
  Array.from({ length: count }, (_, n) => ({ op: "create", todo: { title: `todo ${n}` } }))

layer(services, live)("a batch", (it) => {
  it.effect(
    "a batch runs its operations in order: each sees those before it, and each change has its own revision",
    () =>
      Effect.gen(function* () {
        const todos = yield* Todos
        const { id } = yield* todos.create({ title: "old" })
        const done = yield* todos.batch([
          { op: "create", todo: { title: "new", tags: ["x"] } },
          { op: "update", id, patch: { title: "changed" } },
          { op: "update", id, patch: { title: "changed again" }, ifRevision: 3 },
          { op: "update", id, patch: {} },
          { op: "delete", id, ifRevision: 4 },
          { op: "create", todo: { title: "last" } }
        ])
        assert.deepStrictEqual(
          done.map(({ revision, title }) => [revision, title]),
          [
            [2, "new"],
            [3, "changed"],
            [4, "changed again"],
            [4, "changed again"],
            [5, "changed again"],
            [6, "last"]
          ]
        )
        assert.isNotNull(done[4]?.deletedAt)
        assert.deepStrictEqual(ids((yield* todos.list({})).items), ids([...done.slice(0, 1), ...done.slice(-1)]))
      }).pipe(asNewUser)
  )

  const failing: ReadonlyArray<readonly [name: string, TodoOperation, error: object]> = [
    ["an unknown todo", { op: "update", id: newTodoId(), patch: { title: "x" } }, { _tag: "TodoNotFound" }],
    ["an unknown todo to delete", { op: "delete", id: newTodoId() }, { _tag: "TodoNotFound" }],
    [
      "an unknown list",
      { op: "create", todo: { title: "x", listId: ListId.make(randomUUID()) } },
      { _tag: "ListNotFound" }
    ]
  ]
  for (const [name, operation, error] of failing) {
    for (const index of [0, 1, 57, 99]) {
      it.effect(`a batch changes nothing and returns the index if operation ${index} of 100 has ${name}`, () =>
        Effect.gen(function* () {
          const todos = yield* Todos
          const before = yield* todos.create({ title: "before" })
          const operations = creations(100).with(index, operation)
          assert.deepInclude(yield* Effect.flip(todos.batch(operations)), { ...error, index })
          assert.deepStrictEqual((yield* todos.list({ count: true })).items, [before])
          // The revision did not change either, so the next change gets the next one.
          assert.strictEqual((yield* todos.create({ title: "next" })).revision, before.revision + 1)
          assert.strictEqual((yield* todos.list({ q: "todo", count: true })).total, 0)
        }).pipe(asNewUser)
      )
    }
  }

  it.effect("a batch fails with the first of two failures, which has the current revision", () =>
    Effect.gen(function* () {
      const todos = yield* Todos
      const { id, revision } = yield* todos.create({ title: "a" })
      const batch = todos.batch([
        { op: "update", id, patch: { title: "b" } },
        { op: "update", id, patch: { title: "c" }, ifRevision: revision },
        { op: "delete", id: newTodoId() }
      ])
      assert.deepInclude(yield* Effect.flip(batch), { _tag: "RevisionMismatch", index: 1, current: revision + 1 })
      assert.deepInclude(yield* todos.get(id), { title: "a", revision })
    }).pipe(asNewUser)
  )

  it.effect("a batch does not find a todo that an earlier operation has deleted", () =>
    Effect.gen(function* () {
      const todos = yield* Todos
      const { id } = yield* todos.create({ title: "a" })
      const twice = todos.batch([
        { op: "delete", id },
        { op: "delete", id }
      ])
      assert.deepInclude(yield* Effect.flip(twice), { _tag: "TodoNotFound", index: 1 })
      yield* todos.get(id)
    }).pipe(asNewUser)
  )

  it.effect("a batch has 1 to 100 operations, and validates all of them before the first one runs", () =>
    Effect.gen(function* () {
      const todos = yield* Todos
      for (const count of [0, 101]) {
        const refused = yield* Effect.flip(todos.batch(creations(count)))
        assert.deepInclude(refused, { _tag: "InvalidInput" })
      }
      const blank = yield* Effect.flip(todos.batch([...creations(3), { op: "create", todo: { title: " " } }]))
      assert.strictEqual(blank._tag, "InvalidInput")
      if (blank._tag === "InvalidInput") assert.strictEqual(blank.errors[0]?.pointer, "/operations/3/todo/title")
      assert.deepStrictEqual((yield* todos.list({})).items, [])
      assert.lengthOf(yield* todos.batch(creations(1)), 1)
      const hundred = yield* todos.batch(creations(100))
      assert.deepStrictEqual(
        hundred.map(({ title }) => title),
        Array.from({ length: 100 }, (_, n) => `todo ${n}`)
      )
      assert.deepStrictEqual(ids(yield* walkTodos({})).slice(1), ids(hundred))
    }).pipe(asNewUser)
  )

  it.effect("200 concurrent batches in opposite orders do not fail, and each one is atomic", () =>
    Effect.gen(function* () {
      const todos = yield* Todos
      const rows = yield* todos.batch(creations(8))
      const set = (title: string, order: ReadonlyArray<{ readonly id: (typeof rows)[number]["id"] }>) =>
        todos.batch(order.map(({ id }) => ({ op: "update" as const, id, patch: { title } })))
      yield* Effect.forEach(
        Array.from({ length: 200 }, (_, n) => n),
        (n) => (n % 2 === 0 ? set(`even ${n}`, rows) : set(`odd ${n}`, rows.toReversed())),
        { concurrency: 10, discard: true }
      )
      const titles = new Set((yield* todos.list({})).items.map(({ title }) => title))
      assert.strictEqual(titles.size, 1)
    }).pipe(asNewUser)
  )
})
