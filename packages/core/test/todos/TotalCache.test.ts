import { assert, layer } from "@effect/vitest"
import { Todos, type TodoQuery } from "@todo/core"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { purgeAsSuperuser } from "../support/feed.ts"
import { asNewUser, live, services } from "../support/suite.ts"

const total = (query: TodoQuery) =>
  Effect.flatMap(Todos, (todos) => Effect.map(todos.list({ limit: 1, ...query, count: true }), (page) => page.total))

layer(services, live)("a total", (it) => {
  it.effect("a repeated total is that of the current todos", () =>
    Effect.gen(function* () {
      const todos = yield* Todos
      const queries = [{}, { q: "milk" }, { q: "milk", completed: true }, { tag: ["a"] }] as const
      const totals = () => Effect.forEach(queries, total)
      assert.deepStrictEqual(yield* totals(), [0, 0, 0, 0])
      const { id } = yield* todos.create({ title: "milk" })
      assert.deepStrictEqual(yield* totals(), [1, 1, 0, 0])
      assert.deepStrictEqual(yield* totals(), [1, 1, 0, 0])
      yield* todos.complete(id)
      assert.deepStrictEqual(yield* totals(), [1, 1, 1, 0])
      yield* todos.update(id, { title: "bread", tags: ["a"] })
      assert.deepStrictEqual(yield* totals(), [1, 0, 0, 1])
      yield* todos.delete(id)
      assert.deepStrictEqual(yield* totals(), [0, 0, 0, 0])
    }).pipe(asNewUser)
  )

  it.effect(
    "a total includes every write that ended before its request, with 16 concurrent requests and a writer",
    () =>
      Effect.gen(function* () {
        const todos = yield* Todos
        let written = 0
        const write = Effect.andThen(
          todos.create({ title: "milk" }),
          Effect.sync(() => written++)
        )
        const ask = Effect.gen(function* () {
          const before = written
          const found = yield* total({ q: "milk" })
          assert.isAtLeast(found ?? 0, before)
          // At most one more write is in progress.
          assert.isAtMost(found ?? 0, written + 1)
        })
        const writing = Effect.forEach(Array.from({ length: 40 }), () => write, { discard: true })
        const asking = Effect.forEach(Array.from({ length: 400 }), () => ask, { concurrency: 16, discard: true })
        yield* Effect.all([writing, asking], { concurrency: 2 })
        assert.strictEqual(yield* total({ q: "milk" }), 40)
      }).pipe(asNewUser)
  )

  it.effect("a total of a transaction that was rolled back is not cached", () =>
    Effect.gen(function* () {
      const todos = yield* Todos
      const sql = yield* SqlClient.SqlClient
      yield* todos.create({ title: "milk" })
      yield* Effect.ignore(
        sql.withTransaction(
          Effect.gen(function* () {
            yield* todos.create({ title: "milk" })
            assert.strictEqual(yield* total({ q: "milk" }), 2)
            return yield* Effect.fail("rolled back")
          })
        )
      )
      // This write gets the same revision as the one that was rolled back.
      yield* todos.create({ title: "bread" })
      assert.strictEqual(yield* total({ q: "milk" }), 1)
    }).pipe(asNewUser)
  )

  it.effect("a total of the trash is right after a purge, which changes no revision", () =>
    Effect.gen(function* () {
      const todos = yield* Todos
      const { id } = yield* todos.create({ title: "milk" })
      yield* todos.delete(id)
      assert.strictEqual(yield* total({ deleted: true }), 1)
      yield* purgeAsSuperuser
      assert.strictEqual(yield* total({ deleted: true }), 0)
    }).pipe(asNewUser)
  )

  it.effect("a total of a search counts each todo once, without the trash", () =>
    Effect.gen(function* () {
      const todos = yield* Todos
      for (let n = 0; n < 1_100; n += 100) {
        yield* todos.batch(
          Array.from({ length: 100 }, () => ({
            op: "create" as const,
            todo: { title: "milk milky", description: "way" }
          }))
        )
      }
      const { items } = yield* todos.list({ limit: 3 })
      for (const { id } of items) yield* todos.delete(id)
      for (const q of ["mil", "milk", "milky", "way milk", "milk way mil"]) {
        assert.strictEqual(yield* total({ q }), 1_097, q)
        assert.strictEqual(yield* total({ q, completed: false }), 1_097, q)
      }
      assert.strictEqual(yield* total({ q: "mil", deleted: true }), 3)
    }).pipe(asNewUser)
  )
})
