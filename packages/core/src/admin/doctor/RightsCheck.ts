/**
 * Compares the rights on our tables with what a server needs: rights that its role lacks, and rights that it, a role that
 * it can act as, or PUBLIC has beyond that.
 */
import * as Effect from "effect/Effect"
import * as SqlClient from "effect/sql/SqlClient"
import { grants } from "../../schema/Migrations.ts"
import { rights } from "../../schema/tables.ts"
import { type Finding, failed, passed, warning } from "./Finding.ts"
import type { ReachedRole } from "./ReachedRoles.ts"

const subject = "rights"

export const check = Effect.fnUntraced(function* (schema: string, roles: ReadonlyArray<ReachedRole>) {
  const findings = [
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

/** One grant of the catalogue. */
interface Grant {
  /** As written behind `revoke ... on`. */
  readonly object: string
  readonly column: string | null
  readonly owner: string
  readonly grantee: string
  readonly grantor: string
  readonly privileges: ReadonlyArray<string>
  /** With grant option. */
  readonly isGrantable: boolean
  /** The server needs the right itself. Only the grant option is too much. */
  readonly isNeeded: boolean
}

/** The statements that revoke a grant. Only its grantor can, so a grantor that is not the owner needs `set role`. */
export const revoke = (grant: Omit<Grant, "isNeeded"> & { readonly isNeeded?: boolean }): ReadonlyArray<string> => {
  const { column, grantee, grantor, isGrantable, isNeeded = false, object, owner, privileges } = grant
  const what = privileges.map((privilege) => (column === null ? privilege : `${privilege} (${column})`)).join(", ")
  const statement = `revoke ${isNeeded ? "grant option for " : ""}${what} on ${object} from ${grantee}${isGrantable ? " cascade" : ""}`
  return grantor === owner ? [statement] : [`set role ${grantor}`, statement, "reset role"]
}

const describe = ({ column, grantee, isNeeded, object, privileges }: Grant): string => {
  const who = grantee === "public" ? "PUBLIC" : `"${grantee.replaceAll(/^"|"$/g, "")}"`
  const what = `${privileges.join(", ").toUpperCase()}${column === null ? "" : ` (${column})`} on ${object}`
  return isNeeded ? `${who} may grant ${what} to others` : `${who} has ${what}`
}

/** Finds grants on our tables and on PostgreSQL's own catalogues that give these roles more than a server needs. */
const excess = Effect.fnUntraced(function* (schema: string, roles: ReadonlyArray<ReachedRole>) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql.unsafe(
    `with known (relname, privilege) as (select * from unnest($3::text[], $4::text[])), ours as (
  select c.oid, relname, relowner, relacl, format('%I.%I', nspname, relname) as object
  from pg_class c join pg_namespace n on n.oid = relnamespace
  where nspname = $1 and relkind in ('r', 'p') and (
    relname in (select relname from known)
    or exists (select from pg_attribute where attrelid = c.oid and attname = 'owner_id' and not attisdropped)
  )
), held (kind, object, relname, column_name, owner, acl) as (
  select 'schema', 'schema ' || quote_ident(nspname), null::name, null::name, nspowner, nspacl
  from pg_namespace where nspname = $1
  union all
  select 'table', object, relname, null, relowner, relacl
  from ours
  union all
  select 'table', object, relname, attname, relowner, attacl from ours join pg_attribute on attrelid = ours.oid
  where not attisdropped
  union all
  select 'function', format('function %I.%I(%s)', nspname, proname, pg_get_function_identity_arguments(p.oid)), null, null,
    proowner, proacl
  from pg_proc p join pg_namespace n on n.oid = pronamespace
  where nspname = $1 and prokind = 'f'
  union all
  -- These hold values of our columns, passwords and files.
  select 'system', oid::regclass::text, null, null, relowner, relacl from pg_class
  where oid in ('pg_catalog.pg_statistic'::regclass, 'pg_catalog.pg_statistic_ext_data'::regclass, 'pg_catalog.pg_authid'::regclass)
  union all
  select 'system', format('function %I.%I(%s)', nspname, proname, pg_get_function_identity_arguments(p.oid)), null, null,
    proowner, proacl
  from pg_proc p join pg_namespace n on n.oid = pronamespace
  where nspname = 'pg_catalog' and proname in ('pg_read_file', 'pg_read_binary_file', 'lo_import', 'lo_export')
  union all
  select 'system', 'parameter ' || parname, null, null, 10, paracl from pg_parameter_acl
)
select object, quote_ident(column_name), owner::regrole::text,
  case grantee when 0 then 'public' else grantee::regrole::text end, grantor::regrole::text,
  array_agg(lower(privilege_type) order by privilege_type), bool_or(is_grantable), is_needed
from held, aclexplode(acl), lateral (
  select case
    when kind = 'function' then true
    when grantee = 0 then false
    when kind = 'schema' then privilege_type = 'USAGE'
    else exists (select from known where known.relname = held.relname and privilege = lower(privilege_type))
  end as is_needed
) verdict
where (grantee = 0 or grantee = any($2::oid[])) and grantee <> owner and (is_grantable or not is_needed)
  and (object not like 'parameter %' or privilege_type = 'ALTER SYSTEM' or object = 'parameter session_replication_role')
group by kind, object, column_name, owner, grantee, grantor, is_needed
order by kind, object, column_name nulls first, grantee`,
    [schema, roles.map(({ oid }) => oid), ...declared]
  ).values
  return rows.map((row) => {
    const [object, column, owner, grantee, grantor, privileges, isGrantable, isNeeded] = row as GrantRow
    const grant = { object, column, owner, grantee, grantor, privileges, isGrantable, isNeeded }
    const isHarmless = object.startsWith("schema ") && privileges.every((privilege) => privilege === "usage")
    const hint = "revoke it, unless you know why it is there"
    return isHarmless
      ? warning(subject, `${describe(grant)}, one of the two rights that give access to tables`, hint, revoke(grant))
      : failed(subject, describe(grant), "revoke it: no server needs this right", revoke(grant))
  })
})

type GrantRow = [string, string | null, string, string, string, ReadonlyArray<string>, boolean, boolean]

/** Two parallel arrays for `unnest`: table and right. A table without rights has the right `none`. */
const declared = (() => {
  const pairs = Object.entries(rights).flatMap(([table, allowed]) =>
    (allowed.length === 0 ? ["none"] : allowed).map((privilege) => [table, privilege] as const)
  )
  return [pairs.map(([table]) => table), pairs.map(([, privilege]) => privilege)] as const
})()

/** Finds rights that a server needs and the role lacks, for example after a restore without grants. */
const lacking = Effect.fnUntraced(function* (schema: string, roles: ReadonlyArray<ReachedRole>) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql.unsafe(
    `select lacks from (
  select 0, format('USAGE on schema %I', nspname) from pg_namespace
  where nspname = $1 and not has_schema_privilege(oid, 'usage')
  union all
  select 1, format('%s on %s', string_agg(upper(privilege), ', ' order by privilege), relname)
  from pg_class c join pg_namespace n on n.oid = relnamespace
  join unnest($2::text[], $3::text[]) as known (name, privilege) on name = relname
  where nspname = $1 and relkind in ('r', 'p') and privilege <> 'none' and not has_table_privilege(c.oid, privilege)
  group by relname
  union all
  select 2, format('EXECUTE on %s(%s)', proname, pg_get_function_identity_arguments(p.oid))
  from pg_proc p join pg_namespace n on n.oid = pronamespace
  where nspname = $1 and prokind = 'f' and not has_function_privilege(p.oid, 'execute')
) found (rank, lacks) order by rank, lacks`,
    [schema, ...declared]
  ).values
  if (rows.length === 0) return []
  const name = roles[0]?.name ?? ""
  const detail = `"${name}" lacks ${rows.map(([lacks]) => String(lacks)).join("; ")}`
  return [failed(subject, detail, "grant them; a restore without grants may have left them out", grants(schema, name))]
})

/** Finds default privileges that would give these roles rights on tables that the owner creates later. */
const later = Effect.fnUntraced(function* (
  schema: string,
  roles: ReadonlyArray<ReachedRole>
): Effect.fn.Return<ReadonlyArray<Finding>, unknown, SqlClient.SqlClient> {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql.unsafe(
    `select format('for role %s%s', defaclrole::regrole, ' in schema ' || quote_ident(n.nspname)),
  defaclrole::regrole::text, case grantee when 0 then 'public' else grantee::regrole::text end,
  string_agg(lower(privilege_type), ', ' order by privilege_type)
from pg_default_acl left join pg_namespace n on n.oid = defaclnamespace, aclexplode(defaclacl)
where defaclobjtype = 'r' and (n.nspname is null or n.nspname = $1)
  and defaclrole in (select relowner from pg_class join pg_namespace o on o.oid = relnamespace where o.nspname = $1 and relkind in ('r', 'p'))
  and (grantee = 0 or grantee = any($2::oid[])) and grantee <> defaclrole
group by defaclrole, n.nspname, grantee order by 1, 3`,
    [schema, roles.map(({ oid }) => oid)]
  ).values
  return rows.map((row) => {
    const [where, owner, grantee, privileges] = row as [string, string, string, string]
    const detail = `default privileges give ${privileges.toUpperCase()} on every new table of ${owner} to ${grantee === "public" ? "PUBLIC" : grantee}`
    const statement = `alter default privileges ${where} revoke ${privileges} on tables from ${grantee}`
    return failed(subject, detail, "revoke them; migrations grant what a server needs", [statement])
  })
})
