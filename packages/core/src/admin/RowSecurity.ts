import * as Effect from "effect/Effect"
import * as SqlClient from "effect/sql/SqlClient"
import { type Finding, failed, passed } from "./Finding.ts"

/** Whether row-level security holds on every table with rows of users, including those of later releases. */
export const check = Effect.fnUntraced(function* (schema: string) {
  const sql = yield* SqlClient.SqlClient
  // Permissive policies add up, so one that does not ask for the user opens the table.
  const rows = yield* sql`
    select c.relname, c.relrowsecurity, c.relforcerowsecurity,
      array(select polname::text from pg_policy where polrelid = c.oid and polpermissive),
      array(
        select polname::text from pg_policy where polrelid = c.oid and polpermissive and polname <> 'operators_read' and not (
          coalesce(pg_get_expr(polqual, polrelid) like '%todo.user_id%', polwithcheck is not null)
          and coalesce(pg_get_expr(polwithcheck, polrelid) like '%todo.user_id%', polqual is not null)
        )
      )
    from pg_class c
    where c.relnamespace = to_regnamespace(${`"${schema}"`}) and c.relkind in ('r', 'p') and (
      c.relname = 'users'
      or exists (select from pg_attribute where attrelid = c.oid and attname = 'owner_id' and not attisdropped)
    )
    order by c.relname`.values

  const findings: Array<Finding> = []
  for (const row of rows) {
    const [name, enabled, forced, policies, open] = row as unknown as Facts
    const table = `"${schema}"."${name}"`
    const found = (detail: string, mend: string) => findings.push(failed("row-level security", detail, mend))
    if (!enabled) found(`is off on ${name}`, `alter table ${table} enable row level security`)
    if (!forced) found(`is not forced on ${name}`, `alter table ${table} force row level security`)
    if (policies.length === 0) {
      found(`has no policy on ${name}: nobody sees a row`, 'create it again, as "todo-admin migrate plan" shows it')
    }
    for (const policy of open) {
      found(`is opened on ${name} by policy "${policy}"`, `drop policy "${policy}" on ${table}`)
    }
  }
  if (findings.length > 0) return findings
  return rows.length === 0
    ? [failed("row-level security", `schema "${schema}" has no tables of users`, 'run "todo-admin migrate up"')]
    : [passed("row-level security", `on, forced and with a policy on ${rows.map(([name]) => String(name)).join(", ")}`)]
})

type Facts = readonly [
  name: string,
  enabled: boolean,
  forced: boolean,
  policies: ReadonlyArray<string>,
  open: ReadonlyArray<string>
]
