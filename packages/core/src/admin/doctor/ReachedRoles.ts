/**
 * The roles that a connection can act as: its own, and every role that a membership leads to, by inheritance, by
 * `set role`, or by the right to grant it to itself.
 */
import * as Effect from "effect/Effect"
import * as SqlClient from "effect/sql/SqlClient"

export interface ReachedRole {
  readonly oid: string
  readonly name: string
  /** The name, quoted where SQL needs it. */
  readonly identifier: string
  /** Whether the connection is logged in as it, or runs as it. */
  readonly isOwn: boolean
  readonly isSuperuser: boolean
  readonly bypasses: boolean
  readonly replicates: boolean
  /** Whether it can grant itself any role that is no superuser: so before PostgreSQL 16. */
  readonly grantsItself: boolean
  /** Ends the memberships that lead to it. */
  readonly revocations: ReadonlyArray<string>
}

/** Of the connection. The role that it runs as comes first. */
export const read = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  // Before PostgreSQL 16 a membership has no options, and one grantor: a row of the catalogue as JSON suits each version.
  const rows = yield* sql.unsafe(
    `with recursive membership as (
  select m.member, m.roleid, m.grantor, to_jsonb(m) ->> 'set_option' is not null as has_options
  from pg_auth_members m
  where m.admin_option
    or coalesce((to_jsonb(m) ->> 'inherit_option')::boolean, true)
    or coalesce((to_jsonb(m) ->> 'set_option')::boolean, true)
), reach (role) as (
  select oid from pg_roles where rolname in (current_user, session_user)
  union
  select roleid from reach join membership on member = role
)
select r.oid::text, r.rolname::text, quote_ident(r.rolname), r.rolname in (current_user, session_user), r.rolsuper, r.rolbypassrls,
  r.rolreplication, r.rolcreaterole and current_setting('server_version_num')::int < 160000,
  array(
    select format('revoke %I from %s', r.rolname, member::regrole)
      || case when has_options then format(' granted by %s', grantor::regrole) else '' end || ' cascade'
    from membership join reach on reach.role = member where roleid = r.oid
  )
from reach join pg_roles r on r.oid = reach.role
order by r.rolname <> current_user, r.rolname`
  ).values
  return rows.map((row): ReachedRole => {
    const [oid, name, identifier, isOwn, isSuperuser, bypasses, replicates, grantsItself, revocations] = row as Row
    return { oid, name, identifier, isOwn, isSuperuser, bypasses, replicates, grantsItself, revocations }
  })
})

type Row = [string, string, string, boolean, boolean, boolean, boolean, boolean, ReadonlyArray<string>]
