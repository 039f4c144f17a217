/**
 * The roles that a connection can act as: its own, and every role that it reaches through memberships, by inheritance, by
 * `set role`, or by granting the role to itself.
 */
import * as Effect from "effect/Effect"
import * as SqlClient from "effect/sql/SqlClient"

export interface ReachedRole {
  readonly oid: string
  readonly name: string
  /** The name, quoted if SQL needs it. */
  readonly identifier: string
  /** Whether it is the session user or the current user. */
  readonly isOwn: boolean
  readonly isSuperuser: boolean
  readonly bypasses: boolean
  readonly replicates: boolean
  /** Whether it can grant itself every role that is not a superuser: CREATEROLE before PostgreSQL 16. */
  readonly grantsItself: boolean
  /** Statements that end the memberships that lead to it. */
  readonly revocations: ReadonlyArray<string>
}

/** Reads the roles of the connection. The current user comes first. */
export const read = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  // `to_jsonb` reads options that memberships have only from PostgreSQL 16 on.
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
