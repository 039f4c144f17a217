import * as Effect from "effect/Effect"
import * as SqlClient from "effect/sql/SqlClient"
import { rights } from "../../schema/tables.ts"
import * as DoctorSql from "./DoctorSql.ts"
import { type Finding, failed, passed } from "./Finding.ts"

/** Whether row-level security is on and forced on every table with rows of users, including tables of later releases. */
export const check = Effect.fnUntraced(function* (schema: string) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql.unsafe<DoctorSql.UserTable>(DoctorSql.userTables, [schema])

  const findings: Array<Finding> = []
  for (const { isEnabled, isForced, name, uncovered } of rows) {
    const table = `"${schema}"."${name}"`
    const found = (detail: string, hint: string, ...statements: ReadonlyArray<string>) =>
      findings.push(failed("row-level security", detail, hint, statements))
    if (!isEnabled) found(`is off on ${name}`, "switch it on", `alter table ${table} enable row level security`)
    if (!isForced) found(`is not forced on ${name}`, "force it", `alter table ${table} force row level security`)
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
          `on, forced and with a policy for every command on ${rows.map(({ name }) => name).join(", ")}`
        )
      ]
})
