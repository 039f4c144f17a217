import * as Effect from "effect/Effect"
import * as SqlClient from "effect/sql/SqlClient"
import { type Finding, failed, passed, warning } from "./Finding.ts"

/**
 * Whether the role of this connection is held by row-level security and cannot take it
 * away. `alsoMigrates` says that migrations run as the same role: it owns the tables
 * then, by the operator's choice, and FORCE is all that holds it.
 */
export const check = Effect.fnUntraced(function* (schema: string, options: { readonly alsoMigrates: boolean }) {
  const sql = yield* SqlClient.SqlClient
  const [row] = yield* sql`
    select me.rolname, me.rolsuper, me.rolbypassrls,
      array(
        select rolname::text from pg_roles above
        where (above.rolsuper or above.rolbypassrls) and above.oid <> me.oid and pg_has_role(me.oid, above.oid, 'member')
      ),
      array(
        select relname::text from pg_class
        where relnamespace = to_regnamespace(${`"${schema}"`}) and relkind in ('r', 'p')
          and pg_has_role(me.oid, relowner, 'member')
        order by relname
      ),
      coalesce(has_schema_privilege(me.oid, to_regnamespace(${`"${schema}"`}), 'create'), false)
    from pg_roles me where me.rolname = current_user`.values
  const [name, isSuperuser, bypasses, mighty, owned, mayCreate] = row as unknown as Facts
  const role = `"${name}"`
  const findings: Array<Finding> = []

  const another = 'give DATABASE_URL a role of its own and run "todo-admin migrate up --runtime-role ROLE" as the owner'
  if (isSuperuser) {
    return [failed("runtime role", `${role} is a superuser, whom row-level security does not hold`, another)]
  }
  if (bypasses) {
    findings.push(
      failed(
        "runtime role",
        `${role} has BYPASSRLS: row-level security does not hold it`,
        `alter role ${role} nobypassrls`
      )
    )
  }
  for (const above of mighty) {
    const detail = `${role} is a member of "${above}", which row-level security does not hold`
    findings.push(failed("runtime role", detail, `revoke "${above}" from ${role}`))
  }
  if (owned.length > 0 && options.alsoMigrates) {
    const detail = `${role} owns the tables, since it migrates as well: it is held by FORCE only`
    const mend = "let DATABASE_URL name another role than TODO_MIGRATE_URL"
    findings.push(warning("runtime role", detail, `${mend}, and run "todo-admin migrate up"`))
  } else if (owned.length > 0) {
    const detail = `${role} owns ${owned.join(", ")} and can switch row-level security off`
    findings.push(failed("runtime role", detail, another))
  } else if (mayCreate) {
    const detail = `${role} may create tables and functions in schema "${schema}"`
    findings.push(failed("runtime role", detail, `revoke create on schema "${schema}" from ${role}, public`))
  }
  return findings.length > 0
    ? findings
    : [passed("runtime role", `${role} owns nothing and is held by row-level security`)]
})

type Facts = readonly [
  name: string,
  isSuperuser: boolean,
  bypasses: boolean,
  mighty: ReadonlyArray<string>,
  owned: ReadonlyArray<string>,
  mayCreate: boolean
]
