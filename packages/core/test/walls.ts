import { CurrentUser, type Todo, TodoId, Todos } from "@todo/core"
import { newUser, TestDatabase } from "@todo/core/testing"
import { Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import * as Database from "../src/Database.ts"

const predicate = /\bowner_id = me(\.id)?|\bid = me\b/g

/** The current client, whose statements have lost their owner. They still depend on `me`, so the order stays. */
const withoutOwner = Effect.map(
  SqlClient.SqlClient,
  (sql) =>
    new Proxy(sql, {
      get: (target, key) =>
        key === "unsafe"
          ? (text: string, parameters: ReadonlyArray<unknown>) =>
              target.unsafe(text.replaceAll(/owner_id = me\.id/g, "me.id is not null"), parameters)
          : Reflect.get(target, key)
    })
)

const asOwner = <A, E>(self: Effect.Effect<A, E, SqlClient.SqlClient>) =>
  Effect.flatMap(TestDatabase, ({ ownerUrl }) => Effect.provide(self, Database.layer({ url: ownerUrl, poolSize: 1 })))

/** Takes the owner out of every statement: those of this process, and those in the database's functions. */
export const withoutWallOne = Layer.unwrap(
  Effect.gen(function* () {
    yield* asOwner(
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const functions = yield* sql<{ source: string }>`
          select pg_get_functiondef(p.oid) as source from pg_proc p
          where pronamespace = 'todo'::regnamespace and prolang <> (select oid from pg_language where lanname = 'c')`
        const changed = functions.filter(({ source }) => predicate.test(source))
        if (changed.length < 2) return yield* Effect.die("there is no owner to take out of the functions")
        for (const { source } of changed) yield* sql.unsafe(source.replaceAll(predicate, "true"))
      })
    )
    return Layer.effect(SqlClient.SqlClient, withoutOwner)
  })
)

/** Switches row-level security off. */
export const withoutWallTwo = Layer.effectDiscard(
  asOwner(
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const tables = yield* sql<{ name: string }>`
        select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname = 'todo' and rowsecurity`
      if (tables.length < 3) return yield* Effect.die("there is no row-level security to switch off")
      for (const { name } of tables) {
        yield* sql.unsafe(`alter table ${name} disable row level security, no force row level security`)
      }
    })
  )
)

/** All that B can try with what A has. Returns what B saw or changed, and so should return nothing. */
export const leaks = Effect.gen(function* () {
  const todos = yield* Todos
  const a = newUser()
  const b = newUser()
  const asA = Effect.provideService(CurrentUser, a)
  const asB = Effect.provideService(CurrentUser, b)
  const leaked: Array<string> = []

  // Without walls a write would lock just any user's row, so they are there from the start.
  const { adminUrl } = yield* TestDatabase
  yield* Effect.flatMap(
    SqlClient.SqlClient,
    (sql) => sql`insert into todo.users (id) values (${a.id}), (${b.id})`
  ).pipe(Effect.provide(Database.layer({ url: adminUrl, poolSize: 1 })))

  const open = yield* asA(todos.create({ title: "secret of A", tags: ["secret"], priority: "high" }))
  const trashed = yield* asA(todos.create({ title: "old secret of A" }))
  yield* asA(todos.delete(trashed.id))
  const ids = [open.id, trashed.id]

  const attempts: Record<string, (id: TodoId) => Effect.Effect<unknown, { readonly _tag: string }, CurrentUser>> = {
    get: todos.get,
    update: (id) => todos.update(id, { title: "taken by B" }),
    "update if revision": (id) => todos.update(id, { title: "taken by B" }, { ifRevision: [1, 2, 3] }),
    complete: todos.complete,
    reopen: todos.reopen,
    delete: todos.delete,
    restore: todos.restore
  }
  for (const [name, attempt] of Object.entries(attempts)) {
    for (const id of ids) {
      const exit = yield* Effect.exit(Effect.flip(asB(attempt(id))))
      if (exit._tag !== "Success" || exit.value._tag !== "TodoNotFound") leaked.push(name)
    }
  }
  for (const query of [{}, { tag: ["secret"] }, { priority: "high" as const }, { sort: "-createdAt" as const }]) {
    const page = yield* asB(todos.list(query))
    if (page.items.length > 0) leaked.push(`list ${JSON.stringify(query)}`)
  }
  // Under an id of A's, B gets a todo of B's own.
  for (const id of ids) {
    const put = yield* Effect.exit(asB(todos.put(id, { title: "B's own" })))
    if (put._tag !== "Success" || !put.value.created || put.value.todo.revision > 2) leaked.push("put")
  }

  const after = yield* Effect.exit(asA(todos.get(open.id)))
  if (after._tag !== "Success" || !same(after.value, open)) leaked.push("A's todo changed")
  return leaked
})

const same = (one: Todo, other: Todo): boolean => JSON.stringify(one) === JSON.stringify(other)
