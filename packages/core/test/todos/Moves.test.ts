import { assert, layer } from "@effect/vitest"
import { ListId, Lists, Todos } from "@todo/core"
import { Effect } from "effect"
import { randomUUID } from "node:crypto"
import { asNewUser, ids, live, newTodoId, services, tagOf } from "../support/suite.ts"

/** Five todos with the titles a to e, in this order. */
const five = Effect.gen(function* () {
  const todos = yield* Todos
  const rows = yield* todos.batch(["a", "b", "c", "d", "e"].map((title) => ({ op: "create", todo: { title } })))
  const [a, b, c, d, e] = ids(rows) as [
    (typeof rows)[0]["id"],
    (typeof rows)[0]["id"],
    (typeof rows)[0]["id"],
    (typeof rows)[0]["id"],
    (typeof rows)[0]["id"]
  ]
  const order = Effect.map(todos.list({}), ({ items }) => items.map(({ title }) => title).join(""))
  return { todos, order, a, b, c, d, e }
})

layer(services, live)("a move", (it) => {
  it.effect("a move places a todo directly before or after another one", () =>
    Effect.gen(function* () {
      const { a, b, c, d, e, order, todos } = yield* five
      const steps = [
        [todos.move(a, { after: c }), "bcade"],
        [todos.move(e, { before: c }), "becad"],
        [todos.move(d, { before: b }), "dbeca"],
        [todos.move(b, { after: a }), "decab"],
        [todos.move(c, { after: d }), "dceab"],
        [todos.move(d, { after: c }), "cdeab"],
        [todos.move(a, { before: c }), "acdeb"]
      ] as const
      for (const [move, expected] of steps) {
        const before = yield* todos.list({})
        const moved = yield* move
        assert.strictEqual(yield* order, expected)
        // Only the moved todo has changed.
        const after = yield* todos.list({})
        for (const todo of after.items) {
          const was = before.items.find(({ id }) => id === todo.id)
          assert.deepStrictEqual(todo, todo.id === moved.id ? moved : was)
        }
      }
    }).pipe(asNewUser)
  )

  it.effect("a move to the current place changes nothing", () =>
    Effect.gen(function* () {
      const { a, b, c, d, e, todos } = yield* five
      const before = yield* todos.list({})
      const moves = [
        todos.move(a, { before: a }),
        todos.move(c, { after: c }),
        todos.move(b, { after: a }),
        todos.move(b, { before: c }),
        todos.move(a, { before: b }),
        todos.move(e, { after: d })
      ]
      for (const move of moves) assert.deepInclude(before.items, yield* move)
      assert.deepStrictEqual(yield* todos.list({}), before)
    }).pipe(asNewUser)
  )

  it.effect("a move does not find missing todos, todos in the trash, or todos of another user", () =>
    Effect.gen(function* () {
      const { a, b, c, order, todos } = yield* five
      yield* todos.delete(b)
      const { id: foreign } = yield* todos.create({ title: "theirs" }).pipe(asNewUser)
      for (const id of [b, foreign, newTodoId()]) {
        assert.strictEqual(yield* tagOf(todos.move(a, { after: id })), "TodoNotFound")
        assert.strictEqual(yield* tagOf(todos.move(a, { before: id })), "TodoNotFound")
        assert.strictEqual(yield* tagOf(todos.move(id, { before: a })), "TodoNotFound")
        assert.strictEqual(yield* tagOf(todos.move(id, { before: id })), "TodoNotFound")
      }
      for (const where of [{}, { before: a, after: c }, { before: "x" }, { beside: a }]) {
        assert.strictEqual(yield* tagOf(todos.move(c, where as never)), "InvalidInput")
      }
      assert.strictEqual(yield* order, "acde")
    }).pipe(asNewUser)
  )

  it.effect("a move does not change the place of a todo in the trash", () =>
    Effect.gen(function* () {
      const { a, b, c, d, order, todos } = yield* five
      yield* todos.delete(b)
      yield* todos.move(d, { after: a })
      assert.strictEqual(yield* order, "adce")
      yield* todos.restore(b)
      assert.match(yield* order, /^a.*b.*c/)
      yield* todos.move(b, { before: c })
      assert.strictEqual(yield* order, "adbce")
    }).pipe(asNewUser)
  )

  it.effect("lists move in the same way", () =>
    Effect.gen(function* () {
      const lists = yield* Lists
      const [a, b, c] = yield* Effect.all([
        lists.create({ name: "a" }),
        lists.create({ name: "b" }),
        lists.create({ name: "c" })
      ])
      const order = Effect.map(lists.list({}), ({ items }) => items.map(({ name }) => name).join(""))
      yield* lists.move(a.id, { after: c.id })
      assert.strictEqual(yield* order, "bca")
      yield* lists.move(a.id, { before: b.id })
      assert.strictEqual(yield* order, "abc")
      yield* lists.move(c.id, { before: b.id })
      assert.strictEqual(yield* order, "acb")
      const unchanged = yield* lists.get(c.id)
      assert.deepStrictEqual(yield* lists.move(c.id, { after: a.id }), unchanged)
      yield* lists.delete(b.id)
      const { id: foreign } = yield* lists.create({ name: "theirs" }).pipe(asNewUser)
      for (const id of [b.id, foreign, ListId.make(randomUUID())]) {
        assert.strictEqual(yield* tagOf(lists.move(a.id, { after: id })), "ListNotFound")
        assert.strictEqual(yield* tagOf(lists.move(id, { before: a.id })), "ListNotFound")
      }
      assert.strictEqual(yield* tagOf(lists.move(a.id, { after: c.id, before: c.id } as never)), "InvalidInput")
    }).pipe(asNewUser)
  )
})
