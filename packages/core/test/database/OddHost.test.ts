import { assert, layer } from "@effect/vitest"
import { Accounts, Changes, CurrentUser, Lists, Services, Todos } from "@todo/core"
import { newUser, TestDatabase } from "@todo/core/testing"
import { Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { Todo, TodoList } from "../../src/domain.ts"
import { layerOddHost } from "../support/host.ts"
import { newKey, under } from "../support/keys.ts"
import { asNewUser, ids, live, newTodoId, tagOf } from "../support/suite.ts"

const isTodo = Schema.is(Todo)
const isList = Schema.is(TodoList)

layer(Services.layer.pipe(Layer.provideMerge(layerOddHost(3)), Layer.provideMerge(TestDatabase.layer)), live)(
  "on the client of an unusual host",
  (it) => {
    it.effect("the client has other names, formats and time zones than the pool of this package", () =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const [row] = yield* sql`
        select current_user as the_role, 1::bigint as a_number, now() as the_time, date '2026-11-23'::text as the_day`
        assert.deepInclude(row, { theRole: "Shop App", aNumber: 1, theDay: "23.11.2026" })
        assert.match(String(row?.["theTime"]), /microseconds/)
        assert.deepStrictEqual(yield* sql`select note from todos`, [])
        assert.strictEqual(yield* tagOf(sql`create table todo.mine ()`), "SqlError")
      })
    )

    it.effect("todos, lists, batches, changes and counts are the same as on any other client", () =>
      Effect.gen(function* () {
        const [todos, lists, changes, accounts] = [yield* Todos, yield* Lists, yield* Changes, yield* Accounts]
        const list = yield* lists.create({ name: "groceries_of_the_week" })
        assert.isTrue(isList(list))
        const due = { dateTime: "2026-11-23T09:00:00", timeZone: "Europe/Paris" }
        const milk = yield* todos.create({ title: "buy_milk", due, tags: ["at_home"], listId: list.id })
        assert.isTrue(isTodo(milk))
        assert.deepInclude(milk, { title: "buy_milk", due, tags: ["at_home"], listId: list.id, revision: 2 })
        const [bread] = yield* todos.batch([
          { op: "create", todo: { title: "bread", due: { date: "2026-11-24" }, priority: "high" } },
          { op: "update", id: milk.id, patch: { description: "two_litres" } }
        ])
        yield* todos.complete(bread?.id ?? newTodoId())
        yield* todos.move(milk.id, { after: bread?.id ?? newTodoId() })

        for (const sort of ["position", "-createdAt", "updatedAt", "due", "-priority", "title"] as const) {
          const first = yield* todos.list({ sort, limit: 1, count: true })
          const second = yield* todos.list({ sort, limit: 1, cursor: first.nextCursor ?? "" })
          const items = [...first.items, ...second.items]
          assert.isTrue(items.every(isTodo))
          assert.sameMembers(ids(items), [milk.id, bread?.id ?? ""])
          assert.deepStrictEqual([first.total, second.nextCursor], [2, null])
        }
        assert.deepStrictEqual(ids((yield* todos.list({ q: "two_litres", tag: ["at_home"] })).items), [milk.id])
        const last = yield* todos.get(milk.id)
        assert.deepStrictEqual((yield* lists.list({})).items, [list])
        const page = yield* changes.page({})
        assert.deepStrictEqual(page.changes.at(-1), {
          kind: "todo",
          id: milk.id,
          revision: 6,
          deleted: false,
          todo: last
        })
        assert.deepStrictEqual((yield* changes.page({ since: page.nextCursor })).changes, [])
        yield* lists.delete(list.id, { todos: "trash" })
        const { counts, revision } = yield* accounts.me
        assert.deepStrictEqual([counts, revision], [{ open: 0, completed: 1, trashed: 1, lists: 0 }, 8])
      }).pipe(asNewUser)
    )

    it.effect("an idempotency key works across a transaction of the host, and users stay apart", () =>
      Effect.gen(function* () {
        const todos = yield* Todos
        const sql = yield* SqlClient.SqlClient
        const key = newKey()
        const create = todos.create({ title: "once" }, under(key))
        yield* Effect.flip(sql.withTransaction(Effect.andThen(create, Effect.fail("undone"))))
        const made = yield* sql.withTransaction(create)
        assert.deepStrictEqual(yield* create, made)
        assert.strictEqual(yield* tagOf(todos.create({ title: "twice" }, under(key))), "IdempotencyKeyReused")
        assert.strictEqual(
          yield* tagOf(Effect.provideService(todos.get(made.id), CurrentUser, newUser())),
          "TodoNotFound"
        )
        assert.deepStrictEqual(ids((yield* todos.list({})).items), [made.id])
      }).pipe(asNewUser)
    )
  }
)
