/**
 * Objects that reach our tables without a right on them, in PostgreSQL's catalogues. `$1` is the schema and `$2` the roles
 * that the connection can act as.
 */
import type { Grant } from "./RightsSql.ts"

/** A grant on an object. */
export type HeldGrant = Omit<Grant, "object" | "column">

/** Grants as JSON. `from` gives the columns of `aclexplode`. */
const grants = (owner: string, from: string, column = "") => `(
  select coalesce(json_agg(json_build_object(${column}
    'grantee', case grantee when 0 then 'public' else grantee::regrole::text end,
    'grantor', grantor::regrole::text, 'owner', ${owner}::regrole::text,
    'privileges', array[lower(privilege_type)], 'isGrantable', is_grantable
  ) order by ${column === "" ? "" : "attnum, "}grantee, privilege_type), '[]')
  from ${from} and (grantee = 0 or grantee = any($2::oid[])) and grantee <> ${owner}
)`

/** A view, a materialized view or a table with rules, and one of the relations through which it leads to our tables. */
export interface Relation {
  readonly schema: string
  readonly plainName: string
  /** With its schema, as SQL names it. */
  readonly name: string
  readonly kind: string
  readonly rule: string | null
  readonly via: string
  /** The role whose rights it uses. */
  readonly actor: string
  readonly bypasses: boolean
  readonly isStored: boolean
  /** Our tables, with commas between them. */
  readonly tables: string
  /** Whether the roles reach it, and read there what their rights and policies forbid. */
  readonly isHole: boolean
  readonly grants: ReadonlyArray<HeldGrant>
  readonly columnGrants: ReadonlyArray<HeldGrant & { readonly column: string }>
}

/**
 * Views, materialized views and rules, in any number of steps. A view runs as its owner, or as the caller if it is
 * `security_invoker`. A rule runs as the owner of its table. A materialized view stores what its owner could read.
 */
export const relations = /* sql */ `with recursive ours as (
  select c.oid, relname, relowner from pg_class c join pg_namespace n on n.oid = relnamespace
  where nspname = $1 and relkind in ('r', 'p')
), step as (
  select distinct ev_class as above, refobjid as below, case when rulename <> '_RETURN' then rulename end as rule
  from pg_rewrite r join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid
    and d.refclassid = 'pg_class'::regclass and d.refobjid <> ev_class
  where ev_class not in (select oid from ours)
), passage (top, at, rule, below) as (
  select above, above, rule, below from step
  union
  select top, step.above, coalesce(passage.rule, step.rule), step.below from passage join step on step.above = passage.below
), path as (
  select t.oid, t.relkind, t.relacl, t.relowner, n.nspname, t.relname, format('%I.%I', n.nspname, t.relname) as name, l.rule, v.relkind as via_kind,
    format('%I.%I', vn.nspname, v.relname) as via, v.relowner as actor,
    v.relkind = 'v' and exists (
      select from pg_options_to_table(v.reloptions) where option_name = 'security_invoker' and option_value::boolean
    ) as as_invoker, o.oid as table_oid, o.relname as table_name, o.relowner as table_owner
  from passage l join ours o on o.oid = l.below
  join pg_class t on t.oid = l.top join pg_namespace n on n.oid = t.relnamespace
  join pg_class v on v.oid = l.at join pg_namespace vn on vn.oid = v.relnamespace
), judged as (
  select path.*, a.rolname, a.rolsuper or a.rolbypassrls as bypasses,
    relkind = 'm' or via_kind = 'm' or exists (
      select from passage l join pg_class m on m.oid = l.at where l.top = path.oid and m.relkind = 'm'
    ) as is_stored,
    exists (
      select from unnest($2::oid[]) role where has_schema_privilege(role, (select relnamespace from pg_class c where c.oid = path.oid), 'usage')
        and (has_table_privilege(role, path.oid, 'select, insert, update, delete, truncate') or has_any_column_privilege(role, path.oid, 'select, insert, update'))
    ) as is_reached,
    (a.rolsuper or a.rolbypassrls or pg_has_role(actor, table_owner, 'usage')) and not actor = any($2::oid[])
      and (a.rolsuper or has_table_privilege(actor, table_oid, 'select, insert, update, delete')
        or has_any_column_privilege(actor, table_oid, 'select, insert, update')) as is_above
  from path join pg_roles a on a.oid = actor
)
select nspname as schema, relname as "plainName", name, relkind::text as kind, rule, via, rolname as actor, bypasses,
  is_stored as "isStored", string_agg(distinct table_name, ', ' order by table_name) as tables,
  is_reached and (is_stored or (is_above and not as_invoker)) as "isHole",
  ${grants("relowner", "aclexplode((select relacl from pg_class c where c.oid = judged.oid)) where true")} as grants,
  ${grants("relowner", "pg_attribute, aclexplode(attacl) where attrelid = judged.oid", "'column', quote_ident(attname),")} as "columnGrants"
from judged
group by oid, nspname, relname, name, relkind, relowner, rule, via, rolname, bypasses, is_stored, is_reached, is_above, as_invoker
order by name, via`

/** A function, and who may call it. */
export interface Function {
  readonly schema: string
  readonly plainName: string
  /** With its schema and its parameters. */
  readonly signature: string
  readonly body: string
  /** Whether the catalogue knows that it uses our tables. */
  readonly depends: boolean
  /** Its own `search_path`. */
  readonly path: string | null
  readonly isPlpgsql: boolean
  /** Whether it runs as an owner who sees our tables without policies. */
  readonly isAbove: boolean
  readonly owner: string
  readonly bypasses: boolean
  readonly isCallable: boolean
  /** Statements that drop the triggers with which the roles reach it. */
  readonly triggers: ReadonlyArray<string>
  readonly grants: ReadonlyArray<HeldGrant>
}

/** The functions that neither belong to PostgreSQL nor to an extension. */
export const functions = /* sql */ `with ours as (
  select c.oid, relowner from pg_class c join pg_namespace n on n.oid = relnamespace where nspname = $1 and relkind in ('r', 'p')
), owner as (
  select r.oid, rolname, rolsuper or rolbypassrls as bypasses,
    rolsuper or rolbypassrls or exists (select from ours where pg_has_role(r.oid, relowner, 'usage')) as is_above
  from pg_roles r
)
select n.nspname as schema, proname as "plainName",
  format('%I.%I(%s)', nspname, proname, pg_get_function_identity_arguments(p.oid)) as signature,
  case when prosqlbody is null then prosrc else pg_get_function_sqlbody(p.oid) end as body,
  exists (
    select from pg_depend where classid = 'pg_proc'::regclass and objid = p.oid and refclassid = 'pg_class'::regclass
      and refobjid in (select oid from ours)
  ) as depends,
  (select substring(setting from 'search_path=(.*)') from unnest(proconfig) setting where setting like 'search_path=%') as path,
  lanname = 'plpgsql' as "isPlpgsql", prosecdef and is_above and not proowner = any($2::oid[]) and nspname <> $1 as "isAbove",
  rolname as owner, bypasses,
  exists (
    select from unnest($2::oid[]) role where has_schema_privilege(role, n.oid, 'usage') and has_function_privilege(role, p.oid, 'execute')
  ) and prorettype not in ('trigger'::regtype, 'event_trigger'::regtype) as "isCallable",
  array(
    select format('drop trigger %I on %s', tgname, tgrelid::regclass) from pg_trigger
    where tgfoid = p.oid and not tgisinternal and exists (
      select from unnest($2::oid[]) role where has_table_privilege(role, tgrelid, 'insert, update, delete, truncate')
        or has_any_column_privilege(role, tgrelid, 'insert, update')
    )
    union all
    select format('drop event trigger %I', evtname) from pg_event_trigger where evtfoid = p.oid
  ) as triggers,
  ${grants("proowner", "aclexplode(coalesce(proacl, acldefault('f', proowner))) where true")} as grants
from pg_proc p join pg_namespace n on n.oid = pronamespace join pg_language l on l.oid = prolang join owner on owner.oid = proowner
where nspname not in ('pg_catalog', 'information_schema') and lanname not in ('c', 'internal')
  and not exists (select from pg_depend where classid = 'pg_proc'::regclass and objid = p.oid and deptype = 'e')
order by signature`

/** A parent or a child of one of our tables. */
export interface Inheritance {
  readonly parent: string
  readonly child: string
  readonly isPartition: boolean
  /** Whether the child is in our schema. */
  readonly isOurs: boolean
}

/** Parents and children of our tables, whose names are `$2`. */
export const inheritance = /* sql */ `select format('%I.%I', pn.nspname, p.relname) as parent,
  format('%I.%I', cn.nspname, c.relname) as child, c.relispartition as "isPartition", cn.nspname = $1 as "isOurs"
from pg_inherits i
join pg_class p on p.oid = inhparent join pg_namespace pn on pn.oid = p.relnamespace
join pg_class c on c.oid = inhrelid join pg_namespace cn on cn.oid = c.relnamespace
where c.relkind in ('r', 'p', 'f') and (
  (cn.nspname = $1 and c.relname = any($2::text[])) or (pn.nspname = $1 and p.relname = any($2::text[]))
) order by parent, child`

/** A foreign table that connects to this database again. */
export interface ForeignTable {
  readonly name: string
  readonly server: string
  /** Our table. */
  readonly table: string
  readonly grants: ReadonlyArray<HeldGrant>
}

/** Foreign tables that lead to our tables, whose names are `$3`. */
export const foreignTables = /* sql */ `with foreign_table as (
  select c.oid, c.relacl, c.relowner, c.relnamespace, format('%I.%I', n.nspname, c.relname) as name, s.srvname,
    coalesce((select option_value from pg_options_to_table(ftoptions) where option_name = 'schema_name'), n.nspname) as remote_schema,
    coalesce((select option_value from pg_options_to_table(ftoptions) where option_name = 'table_name'), c.relname) as remote_table,
    (select option_value from pg_options_to_table(srvoptions) where option_name = 'dbname') as remote_database
  from pg_foreign_table f join pg_class c on c.oid = ftrelid join pg_namespace n on n.oid = c.relnamespace
  join pg_foreign_server s on s.oid = ftserver join pg_foreign_data_wrapper w on w.oid = srvfdw
  where fdwname = 'postgres_fdw'
)
select name, srvname as server, remote_table as table, ${grants("relowner", "aclexplode(relacl) where true")} as grants
from foreign_table
where remote_schema = $1 and remote_table = any($3::text[]) and coalesce(remote_database, current_database()) = current_database()
  and exists (
    select from unnest($2::oid[]) role where has_schema_privilege(role, relnamespace, 'usage')
      and has_table_privilege(role, foreign_table.oid, 'select, insert, update, delete')
  )
order by name`
