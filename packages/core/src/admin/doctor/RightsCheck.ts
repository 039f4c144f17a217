/**
 * Compares the rights on our tables with what a server needs: rights that its role lacks, and rights that it, a role that
 * it can act as, or PUBLIC has beyond that.
 */
import * as Effect from "effect/Effect"
import * as SqlClient from "effect/sql/SqlClient"
import { grants } from "../../schema/Migrations.ts"
import { rights } from "../../schema/tables.ts"
import { blocking, type CheckFinding, type Finding, failed, passed, warning } from "./Finding.ts"
import type { ReachedRole } from "./DoctorSql.ts"
import * as RightsSql from "./RightsSql.ts"

const subject = "rights"

export const check = Effect.fnUntraced(function* (schema: string, roles: ReadonlyArray<ReachedRole>) {
  const findings: ReadonlyArray<CheckFinding> = [
    ...(yield* lacking(schema, roles)),
    ...(yield* excess(schema, roles)),
    ...(yield* later(schema, roles))
  ]
  return findings.length > 0
    ? findings
    : [
        passed(
          subject,
          `"${roles[0]?.name}" has the rights on the tables that a server needs, and neither it nor PUBLIC has more`
        )
      ]
})

/** The statements that revoke a grant. Only its grantor can, so a grantor that is not the owner needs `set role`. */
export const revoke = (grant: RightsSql.Grant & { readonly isNeeded?: boolean }): ReadonlyArray<string> => {
  const { column, grantee, grantor, isGrantable, isNeeded = false, object, owner, privileges } = grant
  const what = privileges.map((privilege) => (column === null ? privilege : `${privilege} (${column})`)).join(", ")
  const statement = `revoke ${isNeeded ? "grant option for " : ""}${what} on ${object} from ${grantee}${isGrantable ? " cascade" : ""}`
  return grantor === owner ? [statement] : [`set role ${grantor}`, statement, "reset role"]
}

const describe = ({ column, grantee, isNeeded, object, privileges }: RightsSql.Excess): string => {
  const who = grantee === "public" ? "PUBLIC" : `"${grantee.replaceAll(/^"|"$/g, "")}"`
  const what = `${privileges.join(", ").toUpperCase()}${column === null ? "" : ` (${column})`} on ${object}`
  return isNeeded ? `${who} may grant ${what} to others` : `${who} has ${what}`
}

/** Finds grants on our tables and on PostgreSQL's own catalogues that give these roles more than a server needs. */
const excess = Effect.fnUntraced(function* (schema: string, roles: ReadonlyArray<ReachedRole>) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql.unsafe<RightsSql.Excess>(RightsSql.excess, [
    schema,
    roles.map(({ oid }) => oid),
    ...neededRights
  ])
  return rows.map((grant) => {
    const isHarmless =
      grant.object.startsWith("schema ") && grant.privileges.every((privilege) => privilege === "usage")
    const hint = "revoke it, unless you know why it is there"
    return isHarmless
      ? warning(subject, `${describe(grant)}, one of the two rights that give access to tables`, hint, revoke(grant))
      : failed(subject, describe(grant), "revoke it: no server needs this right", revoke(grant))
  })
})

/** Two parallel arrays for `unnest`: table and right. A table without rights has the right `none`. */
const neededRights = (() => {
  const pairs = Object.entries(rights).flatMap(([table, allowed]) =>
    (allowed.length === 0 ? ["none"] : allowed).map((privilege) => [table, privilege] as const)
  )
  return [pairs.map(([table]) => table), pairs.map(([, privilege]) => privilege)] as const
})()

/** Finds rights that a server needs and the role lacks, for example after a restore without grants. */
const lacking = Effect.fnUntraced(function* (schema: string, roles: ReadonlyArray<ReachedRole>) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql.unsafe<RightsSql.Lacking>(RightsSql.lacking, [schema, ...neededRights])
  if (rows.length === 0) return []
  const name = roles[0]?.name ?? ""
  const detail = `"${name}" lacks ${rows.map(({ label }) => label).join("; ")}`
  const hint = "grant them; a restore without grants may have left them out"
  return [blocking(failed(subject, detail, hint, grants(schema, name)))]
})

/** Finds default privileges that would give these roles rights on tables that the owner creates later. */
const later = Effect.fnUntraced(function* (
  schema: string,
  roles: ReadonlyArray<ReachedRole>
): Effect.fn.Return<ReadonlyArray<Finding>, unknown, SqlClient.SqlClient> {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql.unsafe<RightsSql.DefaultPrivileges>(RightsSql.defaultPrivileges, [
    schema,
    roles.map(({ oid }) => oid)
  ])
  return rows.map(({ grantee, owner, privileges, scope }) => {
    const detail = `default privileges give ${privileges.toUpperCase()} on every new table of ${owner} to ${grantee === "public" ? "PUBLIC" : grantee}`
    const statement = `alter default privileges ${scope} revoke ${privileges} on tables from ${grantee}`
    return failed(subject, detail, "revoke them; migrations grant what a server needs", [statement])
  })
})
