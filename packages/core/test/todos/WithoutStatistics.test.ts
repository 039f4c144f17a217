import { assert, layer } from "@effect/vitest"
import { CurrentUser, Todos } from "@todo/core"
import { newUser } from "@todo/core/testing"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import * as ImportSql from "../../src/admin/import/ImportSql.ts"
import * as PurgeSql from "../../src/admin/purge/PurgeSql.ts"
import { asSuperuser } from "../support/connections.ts"
import { exported, imported } from "../support/exports.ts"
import { orphanWords } from "../support/feed.ts"
import { live, query, services } from "../support/suite.ts"
import { quote } from "../../src/schema/SchemaName.ts"

/** A user with 20,000 todos. The statistics of PostgreSQL are from the time when the tables were empty. */
const size = 20_000
const filled = Effect.gen(function* () {
  const { id } = newUser()
  const statements = [
    "alter table todo.todos set (autovacuum_enabled = false)",
    "alter table todo.todo_words set (autovacuum_enabled = false)",
    "analyze todo.todos, todo.todo_words",
    `insert into todo.users (id, revision) values ('${id}', ${size})`,
    `insert into todo.todos (owner_id, id, title, title_key, title_words, description_words, priority, tags, position,
  revision, created_at, updated_at)
select '${id}', ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, 'todo ' || n, 'todo ' || n,
  array['todo', n::text], '{}', 0, '{}', todo.last_position(n), n, now(), now()
from generate_series(1, ${size}) n`,
    `insert into todo.todo_words select owner_id, word, id from todo.todos, unnest(title_words) word
where owner_id = '${id}'`
  ]
  yield* asSuperuser(Effect.forEach(statements, (text) => query(text), { discard: true }))
  return id
})

/** The number of pages of 8 kB that a statement reads. */
const pagesOf = Effect.fnUntraced(function* (text: string) {
  const [row] = yield* query<{ readonly "QUERY PLAN": unknown }>(`explain (analyze, buffers, format json) ${text}`)
  const given = row?.["QUERY PLAN"]
  const [{ Plan }] = (typeof given === "string" ? JSON.parse(given) : given) as [
    { readonly Plan: Record<string, number> }
  ]
  return (Plan["Shared Hit Blocks"] ?? 0) + (Plan["Shared Read Blocks"] ?? 0)
})

layer(services, live)("without statistics", (it) => {
  it.effect("an edit and a purge find words by the primary key", () =>
    Effect.gen(function* () {
      const id = yield* filled
      yield* asSuperuser(
        Effect.gen(function* () {
          const sql = yield* SqlClient.SqlClient
          yield* sql.withTransaction(
            Effect.gen(function* () {
              const edit = (n: number) =>
                pagesOf(`select todo.replace_words('${id}', id, title_words, array['other']) from todo.todos
where owner_id = '${id}' and id = '00000000-0000-4000-8000-${String(n).padStart(12, "0")}'`)
              // From the sixth execution on, PostgreSQL may use a generic plan.
              for (let n = 1; n <= 5; n++) yield* edit(n)
              assert.isBelow(yield* edit(6), 100)
              yield* query(
                `update todo.todos set deleted_at = now() - interval '2 days' where revision between 101 and 150`
              )
              const purge = PurgeSql.deleteTodos(quote("todo"))
                .replaceAll("$1", `'${id}'`)
                .replaceAll("$2", "now()")
                .replaceAll("$3", "''")
              // Fifty rows with entries in every index and three words cost about 60 pages each.
              assert.isBelow(yield* pagesOf(purge), 50 * 60)
              assert.deepStrictEqual(yield* orphanWords(id), [])
            })
          )
        })
      )
    })
  )

  it.effect("an import reads only the staged rows that it writes", () =>
    Effect.gen(function* () {
      const id = yield* filled
      yield* asSuperuser(
        Effect.gen(function* () {
          const sql = yield* SqlClient.SqlClient
          yield* sql.withTransaction(
            Effect.gen(function* () {
              for (const statement of ImportSql.createStagingTables(quote("todo"))) yield* query(statement)
              const other = newUser().id
              yield* query(
                `insert into pg_temp.import_todos select revision, t.* from todo.todos t where owner_id = '${id}'`
              )
              yield* query(`insert into pg_temp.import_steps
select line, 'todo', id, 'added', revision, position from pg_temp.import_todos`)
              yield* query(`insert into todo.users (id) values ('${other}')`)
              const lines = (text: string) =>
                text
                  .replaceAll("$1", `'${other}'`)
                  .replaceAll("$2", "10000")
                  .replaceAll("$3", "10100")
                  .replaceAll("$4", "null")
              for (const text of [ImportSql.insertRows(quote("todo"), "todo"), ImportSql.indexAdded(quote("todo"))]) {
                // A hundred rows, of 20,000 that are staged in some 400 pages.
                const [row] = yield* query<{ readonly "QUERY PLAN": unknown }>(
                  `explain (analyze, buffers, format json) ${lines(text)}`
                )
                const found = JSON.stringify(row?.["QUERY PLAN"])
                const read = /\\?"Local Hit Blocks\\?":\s*(\d+)/.exec(found)
                assert.isBelow(Number(read?.[1]), 350)
              }
              const [count] = yield* query<{ n: number }>(
                `select count(*)::int as n from todo.todo_words where owner_id = '${other}'`
              )
              assert.strictEqual(count?.n, 200)
            })
          )
        })
      )
    })
  )

  it.effect("no user is without statistics after an import of many, because it analyzes what it has filled", () =>
    Effect.gen(function* () {
      const file = yield* exported(yield* filled)
      const other = newUser()
      yield* asSuperuser(query("update pg_class set reltuples = 0 where oid = 'todo.todo_words'::regclass"))
      const report = yield* imported(file, { user: other.id })
      assert.strictEqual(report.todos.added, size)
      const known = yield* asSuperuser(
        query<{ rows: number; columns: number }>(`select reltuples::int as rows,
  (select count(*)::int from pg_statistic where starelid = c.oid) as columns
from pg_class c where oid = 'todo.todo_words'::regclass`)
      )
      assert.isAtLeast(known[0]?.rows ?? 0, 2 * size)
      assert.isAtLeast(known[0]?.columns ?? 0, 3)
      const { total } = yield* Effect.provideService(
        Effect.flatMap(Todos, (todos) => todos.list({ q: "todo", count: true })),
        CurrentUser,
        other
      )
      assert.strictEqual(total, size)
    })
  )
})
