import { assert, layer } from "@effect/vitest"
import { CurrentUser, Lists, Todos } from "@todo/core"
import { newUser } from "@todo/core/testing"
import { Effect, Ref } from "effect"
import { asSuperuser } from "../support/connections.ts"
import { asNewUser, live, query, services } from "../support/suite.ts"

interface Row {
  readonly id: string
  readonly revision: bigint
}

/** The revisions of every row of the user, and of the user. */
const stored = Effect.gen(function* () {
  const { id } = yield* CurrentUser
  const rows = yield* asSuperuser(
    query<Row>(
      `select id::text, revision from todo.todos where owner_id = $1
union all select id::text, revision from todo.lists where owner_id = $1 order by revision`,
      [id]
    )
  )
  const [user] = yield* asSuperuser(query<Row>("select id, revision from todo.users where id = $1", [id]))
  return { rows, revision: user?.revision ?? 0n }
})

layer(services, live)("revisions", (it) => {
  it.effect("revisions increase by one with every change of a todo or list", () =>
    Effect.gen(function* () {
      const todos = yield* Todos
      const lists = yield* Lists
      const list = yield* lists.create({ name: "a" })
      const other = yield* lists.create({ name: "b" })
      const todo = yield* todos.create({ title: "a", listId: list.id })
      const second = yield* todos.create({ title: "b", listId: list.id })
      const changes = [
        todos.update(todo.id, { title: "c" }),
        todos.complete(todo.id),
        todos.reopen(todo.id),
        todos.move(todo.id, { after: second.id }),
        todos.delete(todo.id),
        todos.restore(todo.id),
        Effect.map(todos.put(todo.id, { title: "d", listId: list.id }), (put) => put.todo),
        lists.update(list.id, { name: "c" }),
        Effect.map(lists.put(list.id, { name: "d" }), (put) => put.list),
        lists.move(list.id, { after: other.id }),
        lists.delete(other.id),
        lists.restore(other.id)
      ]
      const revisions: Array<number> = []
      for (const change of changes) revisions.push((yield* change).revision)
      assert.deepStrictEqual(
        revisions,
        changes.map((_, n) => n + 5)
      )
      // The list comes first, then its two todos by position.
      const trashed = yield* lists.delete(list.id, { todos: "trash" })
      assert.strictEqual(trashed.revision, 17)
      const { revision, rows } = yield* stored
      assert.strictEqual(revision, 19n)
      assert.deepStrictEqual(rows, [
        { id: other.id, revision: 16n },
        { id: list.id, revision: 17n },
        { id: second.id, revision: 18n },
        { id: todo.id, revision: 19n }
      ])
    }).pipe(asNewUser)
  )

  it.effect("revisions are unique and without gaps under 12 concurrent writers of one user", () =>
    Effect.gen(function* () {
      const todos = yield* Todos
      const lists = yield* Lists
      const seen = yield* Ref.make<ReadonlyArray<number>>([])
      const saw = ({ revision }: { readonly revision: number }) => Ref.update(seen, (all) => [...all, revision])
      yield* Effect.forEach(
        Array.from({ length: 12 }, (_, n) => n),
        Effect.fnUntraced(function* (n) {
          const list = yield* lists.create({ name: `${n}` })
          yield* saw(list)
          const todo = yield* todos.create({ title: `${n}`, listId: list.id })
          yield* saw(todo)
          for (let round = 0; round < 5; round++) yield* saw(yield* todos.update(todo.id, { title: `${n} ${round}` }))
          for (const row of yield* todos.batch([
            { op: "create", todo: { title: "one" } },
            { op: "create", todo: { title: "two" } }
          ])) {
            yield* saw(row)
          }
          const { revision } = yield* lists.delete(list.id, { todos: "keep" })
          yield* saw({ revision })
          yield* saw(yield* todos.get(todo.id))
        }),
        { concurrency: 12, discard: true }
      )
      const all = (yield* Ref.get(seen)).toSorted((a, b) => a - b)
      assert.deepStrictEqual(
        all,
        all.map((_, n) => n + 1)
      )
      assert.strictEqual((yield* stored).revision, BigInt(all.length))
    }).pipe(Effect.provideService(CurrentUser, newUser()))
  )

  it.effect("a reader who sees a revision also sees every earlier one", () =>
    Effect.gen(function* () {
      const todos = yield* Todos
      const reading = Effect.gen(function* () {
        const { items } = yield* todos.list({ sort: "-updatedAt", limit: 200 })
        // Rows are only added, so they have the revisions 1 to n.
        return items.every(({ revision }, n) => revision === items.length - n)
      })
      const writing = Effect.forEach(
        Array.from({ length: 160 }, (_, n) => n),
        (n) => todos.create({ title: `${n}` }),
        { concurrency: 6, discard: true }
      )
      const [, whole] = yield* Effect.all([writing, Effect.replicateEffect(reading, 150)], { concurrency: 2 })
      assert.deepStrictEqual(
        whole.filter((is) => !is),
        []
      )
    }).pipe(asNewUser)
  )

  it.effect("updatedAt never goes back, even if the clock does", () =>
    Effect.gen(function* () {
      const todos = yield* Todos
      const { id } = yield* CurrentUser
      const created = yield* todos.create({ title: "a" })
      yield* asSuperuser(query("update todo.users set written_at = '2100-01-01T00:00:00Z' where id = $1", [id]))
      const next = yield* todos.update(created.id, { title: "b" })
      assert.strictEqual(next.updatedAt, "2100-01-01T00:00:00.000Z")
      assert.strictEqual(next.createdAt, created.createdAt)
    }).pipe(asNewUser)
  )
})
