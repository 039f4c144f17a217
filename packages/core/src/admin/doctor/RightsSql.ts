/**
 * Rights on our tables, in PostgreSQL's catalogues. `$1` is the schema and `$2` the roles that the connection can act as.
 * The rights that a server needs are two parallel arrays: table and right. A table without rights has the right `none`.
 */

/** A grant of the catalogue. */
export interface Grant {
  /** As written behind `revoke ... on`. */
  readonly object: string
  readonly column: string | null
  readonly owner: string
  readonly grantee: string
  readonly grantor: string
  readonly privileges: ReadonlyArray<string>
  /** With grant option. */
  readonly isGrantable: boolean
}

/** A grant that gives more than a server needs. */
export interface Excess extends Grant {
  /** The server needs the right itself. Only the grant option is too much. */
  readonly isNeeded: boolean
}

/** Grants on our tables and on PostgreSQL's own catalogues that give the roles more than a server needs (`$3`, `$4`). */
export const excess = /* sql */ `with known (relname, privilege) as (select * from unnest($3::text[], $4::text[])), ours as (
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
select object, quote_ident(column_name) as column, owner::regrole::text as owner,
  case grantee when 0 then 'public' else grantee::regrole::text end as grantee, grantor::regrole::text as grantor,
  array_agg(lower(privilege_type) order by privilege_type) as privileges,
  bool_or(is_grantable) as "isGrantable", is_needed as "isNeeded"
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
group by kind, object, column_name, held.owner, aclexplode.grantee, aclexplode.grantor, is_needed
order by kind, object, column_name nulls first, aclexplode.grantee`

/** A right that the role lacks. */
export interface Lacking {
  /** In words: `SELECT on todos`. */
  readonly label: string
}

/** Rights that a server needs (`$2`, `$3`) and the current user lacks. */
export const lacking = /* sql */ `select label from (
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
) lacking (rank, label) order by rank, label`

/** Rights on tables that a role creates later. */
export interface DefaultPrivileges {
  /** As written behind `alter default privileges`. */
  readonly scope: string
  readonly owner: string
  readonly grantee: string
  /** With commas between them. */
  readonly privileges: string
}

/** Default privileges that would give the roles rights on tables that the owner of ours creates later. */
export const defaultPrivileges = /* sql */ `select
  format('for role %s%s', defaclrole::regrole, ' in schema ' || quote_ident(n.nspname)) as scope,
  defaclrole::regrole::text as owner, case grantee when 0 then 'public' else grantee::regrole::text end as grantee,
  string_agg(lower(privilege_type), ', ' order by privilege_type) as privileges
from pg_default_acl left join pg_namespace n on n.oid = defaclnamespace, aclexplode(defaclacl)
where defaclobjtype = 'r' and (n.nspname is null or n.nspname = $1)
  and defaclrole in (select relowner from pg_class join pg_namespace o on o.oid = relnamespace where o.nspname = $1 and relkind in ('r', 'p'))
  and (grantee = 0 or grantee = any($2::oid[])) and grantee <> defaclrole
group by defaclrole, n.nspname, aclexplode.grantee order by scope, 3`
