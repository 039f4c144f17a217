import { Accounts, Changes, CurrentUser, IdempotencyKey, Lists, type TodoQuery, Todos } from "@todo/core"
import { newUser, TestDatabase } from "@todo/core/testing"
import { Effect, Exit, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { asOwner, unbounded } from "./connections.ts"
import { connect } from "./host.ts"

const predicate = /\b(?:\w+\.)?owner_id = me\b|\bid = me\b/g

/** The current client without the owner in its statements. They still depend on `me`, so the order stays the same. */
const withoutOwner = Effect.map(
  SqlClient.SqlClient,
  (sql) =>
    new Proxy(sql, {
      get: (target, key) =>
        key === "unsafe"
          ? (text: string, parameters: ReadonlyArray<unknown>) =>
              target.unsafe(
                text.replaceAll(/(?<![\w.])(?!me\.)(?:\w+\.)?(?:owner_id|id) = (me\.id|\$1)/g, "$1 is not null"),
                parameters
              )
          : Reflect.get(target, key)
    })
)

/** Removes the condition on the owner, the first guard, from every statement of this process and of the database functions. */
export const withoutOwnerCondition = Layer.unwrap(
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

/** Switches row-level security off, the second guard. */
export const withoutRowSecurity = Layer.effectDiscard(
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

type Attempt = Effect.Effect<unknown, { readonly _tag: string }, CurrentUser>

/** Every attempt of B on rows of A. Returns what B read or changed, which should be nothing. */
export const leaks = Effect.gen(function* () {
  const todos = yield* Todos
  const lists = yield* Lists
  const a = newUser()
  const b = newUser()
  const asA = Effect.provideService(CurrentUser, a)
  const asB = Effect.provideService(CurrentUser, b)
  const leaked = new Set<string>()

  // Without the guards a write would lock the row of any user, so both rows exist from the start.
  const { adminUrl } = yield* TestDatabase
  yield* Effect.flatMap(
    SqlClient.SqlClient,
    (sql) => sql`insert into todo.users (id) values (${a.id}), (${b.id})`
  ).pipe(Effect.provide(connect({ url: adminUrl, poolSize: 1 })))

  // B writes first. Without the guards, revisions of later rows could collide with those of A.
  const mine = yield* asB(todos.create({ title: "B's own" }))
  const myList = yield* asB(lists.create({ name: "B's own" }))
  const idempotencyKey = IdempotencyKey.make("the-same-key-of-both-users")
  const list = yield* asA(lists.create({ name: "list of A" }))
  const oldList = yield* asA(lists.create({ name: "old list of A" }))
  yield* asA(lists.delete(oldList.id))
  const open = yield* asA(
    todos.create({ title: "secret of A", tags: ["secret"], priority: "high", listId: list.id }, { idempotencyKey })
  )
  const second = yield* asA(todos.create({ title: "another secret of A" }))
  const trashed = yield* asA(todos.create({ title: "old secret of A" }))
  yield* asA(todos.delete(trashed.id))

  const everythingOfA = asA(
    Effect.all([
      todos.list({ limit: 200 }),
      todos.list({ limit: 200, deleted: true }),
      lists.list({ limit: 200 }),
      lists.list({ limit: 200, deleted: true })
    ])
  )
  const before = yield* everythingOfA

  const expectFailure = Effect.fnUntraced(function* (name: string, tag: string, attempt: Attempt) {
    const exit = yield* Effect.exit(Effect.flip(asB(attempt)))
    if (exit._tag !== "Success" || exit.value._tag !== tag) leaked.add(name)
  })

  for (const id of [open.id, second.id, trashed.id]) {
    const attempts: Record<string, Attempt> = {
      get: todos.get(id),
      update: todos.update(id, { title: "taken by B" }),
      "update if revision": todos.update(id, { title: "taken by B" }, { ifRevision: [1, 2, 3, 4, 5, 6] }),
      complete: todos.complete(id),
      reopen: todos.reopen(id),
      move: todos.move(id, { before: mine.id }),
      "move to": todos.move(mine.id, { after: id }),
      "batch update": todos.batch([{ op: "update", id, patch: { title: "taken by B" } }]),
      delete: todos.delete(id),
      restore: todos.restore(id),
      "batch delete": todos.batch([{ op: "delete", id }]),
      "restore again": todos.restore(id)
    }
    for (const [name, attempt] of Object.entries(attempts)) yield* expectFailure(name, "TodoNotFound", attempt)
  }
  // Reads that may share a statement: one of A, one of B for a todo of A, and one of B for its own todo.
  const [, ofA, own] = yield* Effect.all(
    [asA(todos.get(open.id)), Effect.exit(asB(todos.get(open.id))), asB(todos.get(mine.id))],
    unbounded
  )
  if (Exit.isSuccess(ofA)) leaked.add("get together")
  if (own.id !== mine.id) leaked.add("get another's")
  const [, { items: listed }] = yield* Effect.all([asA(todos.list({})), asB(todos.list({}))], {
    concurrency: "unbounded"
  })
  if (listed.some(({ id }) => [open.id, second.id].includes(id))) leaked.add("list together")
  const [, takenByB] = yield* Effect.all(
    [
      asA(todos.update(open.id, { title: open.title })),
      Effect.exit(asB(todos.update(open.id, { title: "taken by B" })))
    ],
    unbounded
  )
  if (Exit.isSuccess(takenByB)) leaked.add("update together")
  for (const { id } of [list, oldList]) {
    const title = "B's own"
    const attempts: Record<string, Attempt> = {
      "get list": lists.get(id),
      "update list": lists.update(id, { name: "taken by B" }),
      "move list": lists.move(id, { before: myList.id }),
      "move to list": lists.move(myList.id, { after: id }),
      "create in list": todos.create({ title, listId: id }),
      "update into list": todos.update(mine.id, { listId: id }),
      "put into list": todos.put(mine.id, { title, listId: id }),
      "batch into list": todos.batch([{ op: "create", todo: { title, listId: id } }]),
      "delete list, trash": lists.delete(id, { todos: "trash" }),
      "restore list": lists.restore(id),
      "delete list, keep": lists.delete(id, { todos: "keep" }),
      "delete list": lists.delete(id)
    }
    for (const [name, attempt] of Object.entries(attempts)) yield* expectFailure(name, "ListNotFound", attempt)
  }

  const queries: ReadonlyArray<TodoQuery> = [
    {},
    { deleted: true },
    { tag: ["secret"] },
    { priority: "high" },
    { sort: "-createdAt" },
    { sort: "due" },
    { listId: list.id },
    { q: "secret" },
    { q: "sec", due: "none" }
  ]
  for (const query of queries) {
    const page = yield* asB(todos.list({ ...query, count: true }))
    const own = page.items.filter(({ id }) => id === mine.id).length
    if (page.items.length > own || page.total !== own) leaked.add(`list ${JSON.stringify(query)}`)
  }
  for (const deleted of [false, true]) {
    const { items, total } = yield* asB(lists.list({ deleted, count: true }))
    if (items.some(({ id }) => id !== myList.id) || total !== (deleted ? 0 : 1)) leaked.add("list lists")
  }
  const { nextCursor } = yield* asA(todos.list({ limit: 1 }))
  yield* expectFailure("cursor", "InvalidCursor", todos.list({ limit: 1, cursor: nextCursor ?? "" }))
  const { changes } = yield* Effect.flatMap(Changes, (changes) => asB(changes.page({})))
  if (changes.some(({ id }) => id !== mine.id && id !== myList.id)) leaked.add("changes")
  const { counts, id } = yield* Effect.flatMap(Accounts, ({ me }) => asB(me))
  if (id !== b.id || counts.open !== 1 || counts.lists !== 1 || counts.trashed !== 0) leaked.add("me")

  // B can use the same key as A.
  const repeated = yield* Effect.exit(asB(todos.create({ title: "B's own, too" }, { idempotencyKey })))
  if (repeated._tag !== "Success" || repeated.value.title !== "B's own, too") leaked.add("idempotency key")
  // B can create rows under the ids of A.
  for (const { id } of [open, trashed]) {
    const put = yield* Effect.exit(asB(todos.put(id, { title: "B's own" })))
    if (put._tag !== "Success" || !put.value.created) leaked.add("put")
  }
  for (const { id } of [list, oldList]) {
    const put = yield* Effect.exit(asB(lists.put(id, { name: "B's own" })))
    if (put._tag !== "Success" || !put.value.created) leaked.add("put list")
  }

  const after = yield* Effect.exit(everythingOfA)
  if (after._tag !== "Success" || JSON.stringify(after.value) !== JSON.stringify(before)) leaked.add("A's rows changed")
  return [...leaked]
})
