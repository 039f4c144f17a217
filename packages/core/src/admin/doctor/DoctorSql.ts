/** The statements of doctor's checks on PostgreSQL's catalogues. `$1` is the schema, if a statement needs it. */

/** Facts of the server and of the session. */
export interface Server {
  readonly role: string
  readonly number: number
  readonly release: string
  readonly encoding: string
  readonly readOnly: "on" | "off"
  readonly isStandby: boolean
}

export const server = /* sql */ `select current_user as role, current_setting('server_version_num')::int as number,
  current_setting('server_version') as release, current_setting('server_encoding') as encoding,
  current_setting('transaction_read_only') as "readOnly", pg_is_in_recovery() as "isStandby"`

/** The process of the server that serves the session. */
export interface Session {
  readonly pid: number
}

export const session = /* sql */ `select pg_backend_pid() as pid`

/** The database's clock, in milliseconds. */
export interface Time {
  readonly now: number
}

export const time = /* sql */ `select (extract(epoch from clock_timestamp()) * 1000)::float8 as now`

/** The todos with the id `$2` in a statement that forgets the owner. `$1` is the user. */
export const todoOfAnyone = (schema: string) => /* sql */ `select id from "${schema}".todos where id = $2`

/** The todos with the id `$1` in a statement without a user. */
export const todoWithoutUser = (schema: string) => /* sql */ `select id from "${schema}".todos where id = $1`

/** A table with rows of users. */
export interface UserTable {
  readonly name: string
  readonly isEnabled: boolean
  readonly isForced: boolean
  /** The commands without a policy that lets the role see rows. */
  readonly uncovered: ReadonlyArray<string>
}

export const userTables = /* sql */ `select c.relname as name, c.relrowsecurity as "isEnabled", c.relforcerowsecurity as "isForced",
  array(
    select name from (values ('select', 'r'), ('insert', 'a'), ('update', 'w'), ('delete', 'd')) command (name, code)
    where not exists (
      select from pg_policy
      where polrelid = c.oid and polpermissive and polcmd::text in (code, '*') and exists (
        select from unnest(polroles) role where role = 0 or pg_has_role(nullif(role, 0), 'usage')
      )
    )
  ) as uncovered
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname = $1 and c.relkind in ('r', 'p') and (
  c.relname = 'users'
  or exists (select from pg_attribute where attrelid = c.oid and attname = 'owner_id' and not attisdropped)
)
order by c.relname`

/** A setting that has a value. */
export interface Setting {
  readonly name: string
  readonly value: string
  /** The source of the value, as in `pg_settings`. */
  readonly source: string | null
  /** The values that are stored for roles and the database. `place` is the beginning of the statement that resets one. */
  readonly stored: ReadonlyArray<{ readonly place: string; readonly value: string }>
}

/** The settings with the names `$1`. */
export const settings = /* sql */ `with stored as (
  select split_part(setting, '=', 1) as name, substring(setting from '=(.*)') as value, case
    when setrole = 0 and setdatabase = 0 then 'alter role all'
    when setrole = 0 then format('alter database %I', current_database())
    when setdatabase = 0 then format('alter role %s', setrole::regrole)
    else format('alter role %s in database %I', setrole::regrole, current_database())
  end as place
  from pg_db_role_setting, unnest(setconfig) setting
  where (setdatabase = 0 or setdatabase = (select oid from pg_database where datname = current_database()))
    and (setrole = 0 or setrole = (select oid from pg_roles where rolname = session_user))
)
select name, current_setting(name, true) as value, (select source from pg_settings s where s.name = wanted.name) as source,
  (
    select coalesce(json_agg(json_build_object('place', place, 'value', value) order by place), '[]')
    from stored where stored.name = wanted.name
  ) as stored
from unnest($1::text[]) wanted (name) where current_setting(name, true) is not null`

/** Lets a changed setting of the server take effect. */
export const reloadSettings = "select pg_reload_conf()"

/** A role that the connection can act as. */
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

/**
 * The roles that the connection can act as: its own, and every role that it reaches through memberships, by inheritance,
 * by `set role`, or by granting the role to itself. The current user comes first.
 *
 * `to_jsonb` reads options that memberships have only from PostgreSQL 16 on.
 */
export const reachedRoles = /* sql */ `with recursive membership as (
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
select r.oid::text as oid, r.rolname as name, quote_ident(r.rolname) as identifier,
  r.rolname in (current_user, session_user) as "isOwn", r.rolsuper as "isSuperuser", r.rolbypassrls as bypasses,
  r.rolreplication as replicates,
  r.rolcreaterole and current_setting('server_version_num')::int < 160000 as "grantsItself",
  array(
    select format('revoke %I from %s', r.rolname, member::regrole)
      || case when has_options then format(' granted by %s', grantor::regrole) else '' end || ' cascade'
    from membership join reach on reach.role = member where roleid = r.oid
  ) as revocations
from reach join pg_roles r on r.oid = reach.role
order by r.rolname <> current_user, r.rolname`

/** An object with an owner. */
export interface OwnedObject {
  readonly kind: "table" | "schema" | "function" | "database"
  /** The name in SQL, as after `alter table`. */
  readonly identifier: string
  /** The name for people. */
  readonly label: string
  readonly owner: string
  /** Whether the owner is one of the roles `$2`. */
  readonly isReached: boolean
}

/** The tables, the schema, its functions and the database. */
export const ownedObjects = /* sql */ `with object (rank, kind, identifier, label, owner) as (
  select 0, 'table', format('%I.%I', nspname, relname), relname::text, relowner
  from pg_class c join pg_namespace n on n.oid = relnamespace
  where nspname = $1 and relkind in ('r', 'p')
  union all
  select 1, 'schema', quote_ident(nspname), format('schema "%s"', nspname), nspowner from pg_namespace where nspname = $1
  union all
  select 2, 'function', format('%I.%I(%s)', nspname, proname, pg_get_function_identity_arguments(p.oid)),
    format('%s(%s)', proname, pg_get_function_identity_arguments(p.oid)), proowner
  from pg_proc p join pg_namespace n on n.oid = pronamespace
  where nspname = $1 and prokind = 'f'
  union all
  select 3, 'database', quote_ident(datname), format('database "%s"', datname), datdba
  from pg_database where datname = current_database()
)
select kind, identifier, label, quote_ident(rolname) as owner, object.owner = any($2::oid[]) as "isReached"
from object join pg_roles on pg_roles.oid = object.owner order by rank, label`
