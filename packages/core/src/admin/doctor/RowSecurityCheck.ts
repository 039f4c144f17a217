import * as Effect from "effect/Effect"
import * as SqlClient from "effect/sql/SqlClient"
import { rights } from "../../schema/tables.ts"
import { type Finding, failed, passed } from "./Finding.ts"

/** Whether row-level security is on and forced on every table with rows of users, including tables of later releases. */
export const check = Effect.fnUntraced(function* (schema: string) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql`
    select c.relname, c.relrowsecurity, c.relforcerowsecurity,
      array(
        select name from (values ('select', 'r'), ('insert', 'a'), ('update', 'w'), ('delete', 'd')) command (name, code)
        where not exists (
          select from pg_policy
          where polrelid = c.oid and polpermissive and polcmd::text in (code, '*') and exists (
            select from unnest(polroles) role where role = 0 or pg_has_role(nullif(role, 0), 'usage')
          )
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
    const [name, enabled, forced, uncovered] = row as unknown as Facts
    const table = `"${schema}"."${name}"`
    const found = (detail: string, hint: string, ...statements: ReadonlyArray<string>) =>
      findings.push(failed("row-level security", detail, hint, statements))
    if (!enabled) found(`is off on ${name}`, "switch it on", `alter table ${table} enable row level security`)
    if (!forced) found(`is not forced on ${name}`, "force it", `alter table ${table} force row level security`)
    if (uncovered.length > 0) {
      const isOwn = "owner_id = nullif(current_setting('todo.user_id', true), '')"
      found(
        `has no policy on ${name} for ${uncovered.join(", ")}: such statements find no row`,
        "create the policy again",
        // For tables of this release, the check of the schema has the statement.
        ...(name in rights ? [] : [`create policy own_rows on ${table} for all using (${isOwn}) with check (${isOwn})`])
      )
    }
  }
  if (findings.length > 0) return findings
  return rows.length === 0
    ? [failed("row-level security", `schema "${schema}" has no tables of users`, 'run "todo-admin migrate up"')]
    : [
        passed(
          "row-level security",
          `on, forced and with a policy for every command on ${rows.map(([name]) => String(name)).join(", ")}`
        )
      ]
})

type Facts = readonly [name: string, enabled: boolean, forced: boolean, uncovered: ReadonlyArray<string>]
