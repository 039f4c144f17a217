import { assert, layer } from "@effect/vitest"
import { CurrentUser, type TodoQuery, type TodoSort, UserId } from "@todo/core"
import { DateTime, Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { pageLimit } from "../../src/domain/Page.ts"
import type { Key, Select } from "../../src/database/KeysetPage.ts"
import * as TodosSql from "../../src/todos/TodosSql.ts"
import * as BatchedScope from "../../src/database/BatchedScope.ts"
import { optimisations } from "../../src/database/optimisations.ts"
import * as UserScope from "../../src/database/UserScope.ts"
import { asSuperuser, unbounded } from "../support/connections.ts"
import { layerDatabase } from "../support/host.ts"
import { live, query } from "../support/suite.ts"
import { quote } from "../../src/schema/SchemaName.ts"

/** Creates 100,000 todos of one user, and 1,000 of each of 100 users. 1 % are done, few are in the trash, some are due. */
const many = [
  `insert into todo.users (id, revision) select 'user ' || n, 0 from generate_series(0, 100) n`,
  `insert into todo.lists (owner_id, id, name, position, revision, created_at, updated_at)
select u.id, gen_random_uuid(), 'list', todo.last_position(n), n, now(), now()
from todo.users u, generate_series(1, 10) n`,
  // The rows are loaded without indexes, which are then created again.
  `create table made as select pg_get_indexdef(indexrelid) as made, indexrelid::regclass as name
from pg_index where indrelid = 'todo.todos'::regclass and not indisprimary and indimmediate`,
  `do $$ declare name text; begin
  for name in select made.name::text from made loop execute 'drop index ' || name; end loop; end $$`,
  `insert into todo.todos (owner_id, id, title, title_key, title_words, description_words, priority, due_date, due_time,
  due_zone, due_at, tags, list_id, position, revision, created_at, updated_at, completed_at, deleted_at)
select owner, gen_random_uuid(), 'todo ' || r, 'todo ' || r, array['todo', r::text], '{}', r % 4,
  case when r % 3 = 0 then date '2026-01-01' + r % 1000 end,
  case when r % 3 = 1 then at end, case when r % 3 = 1 then 'UTC' end, case when r % 3 = 1 then at at time zone 'UTC' end,
  case when n % 100 = 0 then array['rare'] else array['common'] end,
  case when n % 2 = 0 then (select l.id from todo.lists l where owner_id = owner and l.revision = 1 + n % 10) end,
  todo.last_position(r), r, timestamptz '2026-01-01' + r * interval '1 second', now(),
  case when n % 100 = 1 then now() end, case when n % 5000 = 2 then now() end
from (
  select 'user ' || greatest(n - 99000, 0) / 1000 as owner, n, ((n * 7919::bigint) % 100003)::int as r,
    timestamp '2026-01-01' + (n % 1000000) * interval '317 seconds' as at
  from generate_series(0, 199999) n
) rows`,
  `do $$ declare made text; begin for made in select m.made from made m loop execute made; end loop; end $$`,
  `insert into todo.todo_words select owner_id, word, id from todo.todos, unnest(title_words || array(select ' ' || tag from unnest(tags) tag)) word`,
  "analyze todo.todos, todo.todo_words, todo.lists, todo.users"
]

const big = UserId.make("user 0")
const small = UserId.make("user 50")
const now = DateTime.makeUnsafe("2026-06-01T12:00:00Z")

/** A database with these rows. */
const database = Layer.effectDiscard(asSuperuser(Effect.forEach(many, (text) => query(text)))).pipe(
  Layer.provideMerge(layerDatabase)
)

interface Node {
  readonly "Node Type": string
  readonly "Relation Name"?: string
  readonly "Index Name"?: string
  readonly "Index Cond"?: string
  readonly "Actual Rows": number
  readonly "Actual Loops": number
  readonly "Shared Hit Blocks": number
  readonly "Shared Read Blocks": number
  readonly Plans?: ReadonlyArray<Node>
}

const literal = (value: unknown): string =>
  Array.isArray(value)
    ? `array[${value.map(literal).join(", ")}]`
    : typeof value === "number"
      ? String(value)
      : `'${String(value).replaceAll("'", "''")}'`

const nodes = (node: Node): ReadonlyArray<Node> => [node, ...(node.Plans ?? []).flatMap(nodes)]

/** The plan of the statement that `send` runs, with these parameters. It is that of the sixth execution. */
const planOf = Effect.fnUntraced(function* (
  send: (scope: UserScope.UserScope, batched: BatchedScope.BatchedScope) => Effect.Effect<unknown, unknown>,
  text: string,
  parameters: ReadonlyArray<unknown>
) {
  const sql = yield* SqlClient.SqlClient
  let statement = ""
  const capturing = new Proxy(sql, {
    get: (target, key) =>
      key === "unsafe"
        ? (text: string, values?: ReadonlyArray<unknown>) => {
            if (values !== undefined) statement = text
            return target.unsafe("select 1 where false")
          }
        : Reflect.get(target, key)
  })
  const scopes = Effect.all([UserScope.make, BatchedScope.make])
  const [scope, batched] = yield* Effect.provideService(scopes, SqlClient.SqlClient, capturing)
  yield* send(scope, batched)
  assert.include(statement, text)
  const values = parameters.map(literal).join(", ")
  const explained = yield* sql.withTransaction(
    Effect.gen(function* () {
      yield* sql.unsafe(`prepare statement as ${statement}`).unprepared
      // From the sixth execution on, PostgreSQL may use a generic plan.
      for (let n = 0; n < 5; n++) yield* sql.unsafe(`explain execute statement(${values})`).unprepared
      const [row] = yield* sql.unsafe<{ readonly "QUERY PLAN": ReadonlyArray<{ readonly Plan: Node }> | string }>(
        `explain (analyze, buffers, format json) execute statement(${values})`
      ).unprepared
      yield* sql.unsafe("deallocate statement").unprepared
      return row?.["QUERY PLAN"]
    })
  )
  const [root] = (typeof explained === "string" ? JSON.parse(explained) : explained) as [{ readonly Plan: Node }]
  return { all: nodes(root.Plan), buffers: root.Plan["Shared Hit Blocks"] + root.Plan["Shared Read Blocks"] }
})

const plan = (user: UserId, { parameters, text }: Select) =>
  planOf(({ read }) => Effect.provideService(read(text)(), CurrentUser, { id: user }), text, [user, ...parameters])

/** Asserts that every scan uses an index that begins with the owner, and that at most `most` rows are sorted. */
const assertServed = (all: ReadonlyArray<Node>, what: string, most = Infinity) => {
  const scans = all.filter((node) => /Scan/.test(node["Node Type"]) && node["Node Type"] !== "Subquery Scan")
  for (const node of scans) {
    if (["Function Scan", "CTE Scan", "Bitmap Heap Scan"].includes(node["Node Type"])) continue
    // These tables have few pages, so a scan of the whole table is cheaper.
    if (["users", "search_form"].includes(node["Relation Name"] ?? "")) continue
    assert.match(node["Node Type"], /Index/, what)
    assert.match(node["Index Cond"] ?? "", /\(owner_id = /, what)
  }
  assert.isNotEmpty(scans, what)
  for (const node of all.filter((node) => /Sort/.test(node["Node Type"]))) {
    const sorted = (node.Plans ?? []).reduce((sum, child) => sum + child["Actual Rows"] * child["Actual Loops"], 0)
    assert.isAtMost(sorted, most, `${what} sorts`)
  }
}

const limit = 201
const list = (given: TodoQuery, after?: Key) => TodosSql.list(quote("todo"), given, now, limit, after)

const columns = {
  position: "position",
  createdAt: "created_at",
  updatedAt: "revision",
  priority: "priority",
  title: "title_key",
  due: "due_at"
} as const

layer(database, { ...live, timeout: "60 seconds" })("on 200,000 todos", (it) => {
  for (const name of Object.keys(columns) as ReadonlyArray<keyof typeof columns>) {
    it.effect(
      `a page by ${name} is read from an index in both directions, and a late page costs as much as the first`,
      () =>
        Effect.gen(function* () {
          for (const sort of [name, `-${name}`] as ReadonlyArray<TodoSort>) {
            const direction = sort.startsWith("-") ? "desc" : "asc"
            const column = columns[name]
            // A row after nine tenths of the others.
            const [deep] = yield* asSuperuser(
              query<{ value: string; id: string }>(
                `select ${name === "due" ? "(extract(epoch from due_at) * 1000)::bigint" : column}::text as value, id::text from todo.todos where owner_id = $1 and ${column} is not null
order by todos.${column} ${direction}, id ${direction} offset (select 0.9 * count(${column}) from todo.todos where owner_id = $1) limit 1`,
                [big]
              )
            )
            const first = yield* plan(big, list({ sort }))
            const next = yield* plan(big, list({ sort }, [deep?.value ?? "", deep?.id ?? ""]))
            const other = yield* plan(small, list({ sort }))
            for (const { all } of [first, next, other]) assertServed(all, sort, 3 * limit)
            assert.isAtMost(next.buffers, 2 * first.buffers, `${sort}: deep`)
            assert.isAtMost(first.buffers, 2 * other.buffers, `${sort}: of 100,000 and of 1,000`)
          }
        })
    )
  }

  it.effect.runIf(optimisations.requestBatching)(
    "plain pages of several users in one statement are read from the index, the first and late ones",
    () =>
      Effect.gen(function* () {
        const users = [big, small]
        const deep = yield* asSuperuser(
          query<{ position: string }>(
            `select (array_agg(position order by position))[900] as position from todo.todos
where owner_id = any ($1::text[]) group by owner_id order by owner_id`,
            [users]
          )
        )
        const after = deep.map(({ position }) => position)
        for (const { parameters, text } of TodosSql.plainPages(quote("todo"))) {
          const isFirst = parameters.length === 0
          const { all } = yield* planOf(
            (_scope, batched) => {
              const page = batched.read(text, parameters.length)
              return Effect.forEach(
                users,
                (id) => Effect.provideService(page(...parameters), CurrentUser, { id }),
                unbounded
              )
            },
            text.replaceAll("$1", "me.id").replaceAll("$", "calls.p"),
            isFirst ? [users] : [users, after]
          )
          assertServed(all, "plain pages")
          assert.notInclude(
            all.map((node) => node["Node Type"]),
            "Memoize",
            "Memoize copies rows that are never used again"
          )
          const scans = all.filter((node) => /Index/.test(node["Node Type"]))
          assert.deepStrictEqual(
            scans.map((node) => node["Actual Loops"] * node["Actual Rows"]),
            [users.length * (pageLimit.default + 1)]
          )
          if (!isFirst) assert.match(scans[0]?.["Index Cond"] ?? "", /"position" > /)
        }
      })
  )

  it.effect("todos without a due date are read from an index", () =>
    Effect.gen(function* () {
      const id = "80000000-0000-4000-8000-000000000000"
      const { all, buffers } = yield* plan(big, list({ sort: "due" }, [null, id]))
      assertServed(all, "due", limit)
      assert.isBelow(buffers, 5_000)
    })
  )

  it.effect("every filter uses an index that begins with the owner, with every order and for the count", () =>
    Effect.gen(function* () {
      const [row] = yield* asSuperuser(
        query<{ id: string }>("select id::text from todo.lists where owner_id = $1 order by revision limit 1", [big])
      )
      const filters: ReadonlyArray<TodoQuery> = [
        { completed: false },
        { completed: true },
        { priority: "high" },
        { tag: ["rare"] },
        { listId: row?.id as never },
        { listId: "none" },
        { due: "overdue" },
        { due: "today" },
        { due: "upcoming" },
        { due: "none" },
        { dueFrom: "2026-06-01T00:00:00Z", dueTo: "2026-06-02T00:00:00Z" },
        { deleted: true },
        { q: "todo 777" },
        { q: "todo" },
        { q: "todo 7", completed: true, priority: "low" }
      ]
      for (const filter of filters) {
        for (const sort of ["position", "due", "-title"] as const) {
          const { all } = yield* plan(big, list({ ...filter, sort }))
          assertServed(all, `${JSON.stringify(filter)} by ${sort}`)
        }
        const { all } = yield* plan(big, TodosSql.count(quote("todo"), filter, now))
        assertServed(all, `count of ${JSON.stringify(filter)}`)
      }
    })
  )

  const orders = ["position", "-createdAt", "updatedAt", "due", "-priority", "title"] as const
  const bounded = Effect.fnUntraced(function* (queries: ReadonlyArray<TodoQuery>) {
    for (const query of queries) {
      for (const sort of orders) {
        const { buffers } = yield* plan(big, list({ ...query, sort }))
        // A row costs about four pages. The order by due date has three parts, and each may read the same 1,000 rows.
        assert.isBelow(buffers, sort === "due" ? 15_000 : 8_000, `${JSON.stringify(query)} by ${sort}`)
      }
    }
    // The count of a word does not read rows of todos.
    const { all } = yield* plan(big, TodosSql.count(quote("todo"), { q: "todo" }, now))
    const rows = all
      .filter((node) => node["Relation Name"] === "todos")
      .map((node) => node["Actual Rows"] * node["Actual Loops"])
    assert.isAtMost(Math.max(0, ...rows), 1_000, "count of a word that all todos have")
  })
  const queries: ReadonlyArray<TodoQuery> = [
    { q: "todo" },
    { q: "to" },
    { q: "todo todo t" },
    { q: "todo 777" },
    { completed: true },
    { tag: ["rare"] },
    { tag: ["common"] },
    { tag: ["common", "unknown"] }
  ]

  it.effect("a word of 100,000 todos, a tag, and done todos are found with few page reads", () =>
    bounded([...queries, { q: "todo", completed: false }])
  )

  it.effect("a word, a tag and done todos are found with few page reads without statistics", () =>
    Effect.gen(function* () {
      yield* asSuperuser(
        query("delete from pg_statistic where starelid = any (array['todo.todos', 'todo.todo_words']::regclass[])")
      )
      yield* bounded(queries)
    })
  )
})
