/**
 * What lets a router of PostgreSQL, such as Citus, send every statement of a request to one machine, shown on one machine:
 * the statements and the functions run on copies of the tables that are split into partitions by owner. Like the shards of
 * Citus, the copies have other names and other row types.
 */
import { assert, layer } from "@effect/vitest"
import { Accounts, Changes, CurrentUser, IdempotencyKey, Lists, Services, Todos, type TodoSort } from "@todo/core"
import { newUser } from "@todo/core/testing"
import { Effect, Layer, Stream } from "effect"
import { SqlClient } from "effect/sql"
import { optimisations } from "../../src/database/optimisations.ts"
import { functions, parse } from "../../src/schema/functions/index.ts"
import { ownedTables } from "../../src/schema/tables.ts"
import { asSuperuser } from "../support/connections.ts"
import { layerDatabase } from "../support/host.ts"
import { live, newTodoId, query } from "../support/suite.ts"

// Where tables are distributed, each call is a statement of its own.
for (const name of ["requestBatching", "batchedPages"] as const) optimisations[name] = false

const names = ownedTables.map(({ name }) => name).join("|")

/** Replaces the tables of a statement by their copies. Row types keep their names. */
const onCopies = (text: string) =>
  text.replaceAll(
    new RegExp(`\\b(from|join|update|into) "?todo"?\\.(${names})\\b`, "g"),
    (_, keyword, table) => `${keyword} shards.${table}`
  )

const copies = [
  "create schema shards",
  "grant usage on schema shards to public",
  ...ownedTables.flatMap(({ name, owner }) => [
    `create table shards.${name} (like todo.${name} including all) partition by hash (${owner})`,
    ...[0, 1, 2, 3].map(
      (n) => `create table shards.${name}_${n} partition of shards.${name} for values with (modulus 4, remainder ${n})`
    ),
    `alter table shards.${name} enable row level security, force row level security`,
    `create policy own_rows on shards.${name} using (${owner} = nullif(current_setting('todo.user_id', true), ''))`,
    `grant all on shards.${name} to public`
  ]),
  ...functions('"todo"').map(onCopies)
]

interface Sent {
  readonly text: string
  readonly parameters: ReadonlyArray<unknown>
}

/** The statements that the services sent, each once. */
const sent = new Map<string, Sent>()

/** A client that sends every statement to the copies, and remembers it. */
const onCopiesOnly = Layer.effect(
  SqlClient.SqlClient,
  Effect.gen(function* () {
    yield* asSuperuser(Effect.forEach(copies, (text) => query(text)))
    const sql = yield* SqlClient.SqlClient
    return new Proxy(sql, {
      get: (target, key) =>
        key === "unsafe"
          ? (text: string, parameters: ReadonlyArray<unknown> = []) => {
              const changed = onCopies(text)
              sent.set(changed, { text: changed, parameters })
              return target.unsafe(changed, parameters)
            }
          : Reflect.get(target, key)
    })
  })
)

const sorts: ReadonlyArray<TodoSort> = ["position", "createdAt", "updatedAt", "due", "priority", "title"]

type Calls<Service> = { readonly [Name in keyof Service]: Effect.Effect<unknown, unknown, CurrentUser> }

/** Every method of every service. A new method does not compile until it is here. */
const everyMethod = Effect.gen(function* () {
  const todos = yield* Todos
  const lists = yield* Lists
  const changes = yield* Changes
  const accounts = yield* Accounts
  const list = yield* lists.create({ name: "Home" })
  const first = yield* todos.create({ title: "One", listId: list.id, tags: ["x"] })
  const second = yield* todos.create({ title: "Two", due: { date: "2026-12-01" } })
  const idempotencyKey = IdempotencyKey.make("a-key")
  const ofTodos: Calls<typeof todos> = {
    create: todos.create({ title: "Keyed" }, { idempotencyKey }),
    put: todos.put(newTodoId(), { title: "Chosen id" }),
    get: todos.get(first.id),
    list: Effect.all([
      ...sorts.flatMap((sort) =>
        [{ sort }, { sort: `-${sort}` as TodoSort, q: "on", completed: false, timeZone: "Europe/Paris" }].map((query) =>
          Effect.flatMap(todos.list({ ...query, limit: 1, count: true }), ({ nextCursor }) =>
            nextCursor === null ? Effect.void : todos.list({ ...query, limit: 1, cursor: nextCursor })
          )
        )
      ),
      todos.list({}),
      todos.list({ completed: true, count: true }),
      todos.list({ deleted: true, tag: ["x"], priority: "high", listId: list.id, due: "overdue" })
    ]),
    update: todos.update(first.id, { title: "One more", description: "a b c d e f g h i j k l m n o p q r s t" }),
    complete: todos.complete(first.id),
    reopen: todos.reopen(first.id),
    move: todos.move(first.id, { after: second.id }),
    batch: todos.batch([{ op: "update", id: first.id, patch: { tags: [] } }]),
    delete: todos.delete(first.id),
    restore: todos.restore(first.id)
  }
  const ofLists: Calls<typeof lists> = {
    create: lists.create({ name: "Work" }),
    put: lists.put(list.id, { name: "House" }),
    get: lists.get(list.id),
    list: Effect.all([lists.list({}), lists.list({ deleted: true, sort: "-updatedAt", count: true })]),
    update: lists.update(list.id, { name: "Home again" }),
    move: Effect.flatMap(lists.create({ name: "Third" }), ({ id }) => lists.move(list.id, { after: id })),
    delete: lists.delete(list.id, { todos: "keep" }),
    restore: lists.restore(list.id)
  }
  const ofChanges: Calls<Pick<typeof changes, "page">> = {
    page: Effect.flatMap(changes.page({ limit: 2 }), ({ nextCursor }) => changes.page({ since: nextCursor }))
  }
  const live = Stream.runHead(changes.stream({}))
  for (const calls of [ofTodos, ofLists, ofChanges]) yield* Effect.all(Object.values(calls), { discard: true })
  yield* Effect.all([accounts.me, accounts.isDisabled, live], { discard: true })
}).pipe((self) => Effect.suspend(() => Effect.provideService(self, CurrentUser, newUser())))

interface Node {
  readonly "Relation Name"?: string
  readonly Plans?: ReadonlyArray<Node>
}

const relations = (node: Node): ReadonlyArray<string> => [
  ...(node["Relation Name"] === undefined ? [] : [node["Relation Name"]]),
  ...(node.Plans ?? []).flatMap(relations)
]

/** The tables of which a statement reads more than one partition. */
const spread = Effect.fnUntraced(function* ({ parameters, text }: Sent) {
  const sql = yield* SqlClient.SqlClient
  const [row] = yield* sql.unsafe<{ readonly "QUERY PLAN": unknown }>(`explain (format json) ${text}`, parameters)
  const plan = row?.["QUERY PLAN"]
  const [root] = (typeof plan === "string" ? JSON.parse(plan) : plan) as [{ readonly Plan: Node }]
  const partitions = Map.groupBy(new Set(relations(root.Plan)), (name) => name.replace(/_\d$/, ""))
  return [...partitions].filter(([, read]) => read.length > 1).map(([table]) => table)
})

layer(Services.layer.pipe(Layer.provideMerge(onCopiesOnly), Layer.provideMerge(layerDatabase)), live)(
  "on tables that are split by owner",
  (it) => {
    it.effect("every method works, and every select reads one partition of a table", () =>
      Effect.gen(function* () {
        yield* everyMethod
        const selects = [...sent.values()].filter(({ text }) => text.includes("set_config('todo.user_id', $1"))
        assert.isAtLeast(selects.length, 25)
        for (const select of selects) assert.deepStrictEqual(yield* spread(select), [], select.text)
      })
    )

    it.effect("a select that names the owner only as the user of the setting reads all partitions", () =>
      Effect.gen(function* () {
        const text = `select t.* from (select set_config('todo.user_id', $1, true) as id offset 0) me
cross join lateral (select id from shards.todos where owner_id = me.id offset 0) t`
        assert.deepStrictEqual(yield* spread({ text, parameters: ["somebody"] }), ["todos"])
      })
    )

    it.effect("a select that hands a whole row to a function fails, as on a shard", () =>
      Effect.gen(function* () {
        const failure = yield* Effect.flip(query("select todo.todo_json(t) from shards.todos t"))
        assert.propertyVal(failure.reason.cause, "code", "42883")
      })
    )
  }
)

/** The rules for a statement of a function that runs where the rows of `me` are. */
const broken = (body: string): ReadonlyArray<string> =>
  body
    .replaceAll(/--.*/g, "")
    // A `then` at the end of a line belongs to an `if`, another one to an expression.
    .split(/;|\b(?:then|loop|else|begin)$/m)
    .map((statement) =>
      /^\s*execute\b/.test(statement) ? (statement.match(/'[^']*'/g) ?? []).join("").replaceAll("'", "") : statement
    )
    .flatMap((statement) => {
      const tables = statement.match(new RegExp(`"todo"\\.(${names})\\b(?! :=|;)`, "g")) ?? []
      const isStatement = /\b(select|perform|insert|update|delete|for \w+ in)\b/.test(statement)
      if (!isStatement || tables.length === 0) return []
      const text = statement.replaceAll(/\s+/g, " ").trim()
      const isInsert = text.includes("insert into")
      return [
        ...(tables.length > 1 ? [`names two tables: ${text}`] : []),
        ...((isInsert ? /\bvalues \((\$1|me)\b/ : /\b(owner_id|id) = (me|\$1)\b/).test(text)
          ? []
          : [`does not name the owner: ${text}`]),
        ...((text.match(/\b(select|perform)\b/g) ?? []).length > (/^(insert|update|delete)/.test(text) ? 0 : 1)
          ? [`has a subquery: ${text}`]
          : [])
      ]
    })

layer(layerDatabase, live)("the schema", (it) => {
  it.effect("each statement of a function names one table and the owner, and has no subquery", () =>
    Effect.sync(() => {
      const bodies = functions('"todo"').map(parse)
      const found = bodies.flatMap(({ body, name }) => broken(body).map((rule) => `${name} ${rule}`))
      assert.deepStrictEqual(found, [])
      assert.isAtLeast(bodies.filter(({ body }) => /owner_id = me/.test(body)).length, 4)
    })
  )

  it.effect("the rules find the forms that Citus refuses", () =>
    Effect.sync(() => {
      const refused = [
        `insert into "todo".todos select next.*;`,
        `update "todo".todos set revision = place from (select id as moved from "todo".todos where owner_id = me) p where owner_id = me;`,
        `delete from "todo".idempotency_keys where owner_id = me and key = any(array(select key from x));`,
        `select * into was from "todo".todos where id = (op->>'id')::uuid;`
      ]
      for (const statement of refused) assert.isNotEmpty(broken(statement), statement)
    })
  )

  it.effect("no check and no policy takes a whole row", () =>
    Effect.gen(function* () {
      const conditions = yield* query<{ text: string }>(`
        select pg_get_constraintdef(oid) as text from pg_constraint where connamespace = 'todo'::regnamespace and contype = 'c'
        union all
        select coalesce(qual, '') || coalesce(with_check, '') from pg_policies where schemaname = 'todo'`)
      assert.isAtLeast(conditions.length, 8)
      for (const { text } of conditions) assert.notInclude(text, ".*")
    })
  )

  it.effect("the functions that requests call take the user first", () =>
    Effect.gen(function* () {
      const called = yield* query<{ name: string; first: string }>(`
        select proname::text as name, proargnames[1] as first from pg_proc
        where pronamespace = 'todo'::regnamespace and proname in ('write', 'write_all', 'write_once', 'lock_user')`)
      assert.deepStrictEqual(
        called.map(({ first }) => first),
        ["me", "me", "me", "me"]
      )
    })
  )
})
