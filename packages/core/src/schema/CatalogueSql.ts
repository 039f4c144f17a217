/** What is known about an object besides its definition, by kind. */
interface Facts {
  readonly table: { readonly isUnlogged: boolean; readonly lacksForeignKeyChecks: boolean }
  readonly column: {
    /** With the collation, if it is not the default one. */
    readonly type: string
    readonly isRequired: boolean
    readonly default: string | null
  }
  readonly index: { readonly isUnique: boolean }
  readonly constraint: null
  readonly function: { readonly nameWithoutParameters: string; readonly runsAsOwner: boolean }
  readonly policy: { readonly isPermissive: boolean }
  readonly trigger: null
  readonly rule: null
}

type Kind = keyof Facts

interface EntryOf<K extends Kind> {
  readonly kind: K
  /** The table of the object; `null` for a table or a function. */
  readonly table: string | null
  /** With the parameters, for a function. */
  readonly name: string
  /** Two objects with the same definition are equal. */
  readonly definition: string
  /** The statement that creates the object, for a session with the schema as its search path; `null` if there is none. */
  readonly statement: string | null
  readonly facts: Facts[K]
}

/** An object of a schema. */
export type Entry<K extends Kind = Kind> = { readonly [Each in K]: EntryOf<Each> }[K]

/** The objects of the schema `$1`, or of the temporary schema of the connection if that is `pg_temp`. */
export const entries = /* sql */ `with here as (
  select oid from pg_namespace
  where oid = case $1 when 'pg_temp' then pg_my_temp_schema() else to_regnamespace(format('%I', $1)) end
), relations as (
  select c.* from pg_class c join here on c.relnamespace = here.oid where c.relkind in ('r', 'p', 'c') and c.relname <> 'migrations'
)
select 'table' as kind, null::text as table, relname::text as name,
  concat_ws(' and ', case when is_unlogged then 'unlogged' end,
    case when lacks_checks then 'without checks of its foreign keys' end) as definition,
  null::text as statement,
  json_build_object('isUnlogged', is_unlogged, 'lacksForeignKeyChecks', lacks_checks) as facts
from (
  select relname, relpersistence = 'u' as is_unlogged, exists (
    select from pg_trigger where tgrelid = relations.oid and tgisinternal and tgenabled not in ('O', 'A')
  ) as lacks_checks
  from relations where relkind <> 'c'
) tables
union all
select 'column', relname, attname,
  type || case when attnotnull then ' not null' else '' end || coalesce(' default ' || value, '')
    || attidentity::text || attgenerated::text,
  null,
  json_build_object('type', type, 'isRequired', attnotnull, 'default', value)
from (
  select relname, attname, attnotnull, attidentity, attgenerated, pg_get_expr(adbin, adrelid, true) as value,
    format_type(atttypid, atttypmod) || coalesce((
      select ' collate ' || quote_ident(collname) from pg_collation where oid = attcollation and collname <> 'default'
    ), '') as type
  from pg_attribute join relations on attrelid = relations.oid
  left join pg_attrdef on adrelid = attrelid and adnum = attnum
  where attnum > 0 and not attisdropped
) columns
union all
select 'index', t.relname, i.relname, pg_get_indexdef(i.oid, 0, true) || case when indisvalid then '' else ' invalid' end,
  pg_get_indexdef(i.oid, 0, true), json_build_object('isUnique', indisunique)
from pg_index join relations t on indrelid = t.oid join pg_class i on i.oid = indexrelid
where not exists (select from pg_constraint where conindid = indexrelid and contype in ('p', 'u', 'x'))
union all
select 'constraint', relname, conname, pg_get_constraintdef(pg_constraint.oid, true),
  format('alter table %I add constraint %I %s', relname, conname, pg_get_constraintdef(pg_constraint.oid, true)),
  null
from pg_constraint join relations on conrelid = relations.oid where contype not in ('n', 't')
union all
select 'function', null, format('%s(%s)', proname, pg_get_function_identity_arguments(pg_proc.oid)),
  concat_ws(' ', case when prosecdef then 'security definer' end, 'returns', pg_get_function_result(pg_proc.oid), lanname, provolatile, proisstrict, proparallel,
    proconfig, pg_get_function_arguments(pg_proc.oid), prosrc),
  case prokind when 'f' then pg_get_functiondef(pg_proc.oid) end,
  json_build_object('nameWithoutParameters', proname, 'runsAsOwner', prosecdef)
from pg_proc join here on pronamespace = here.oid join pg_language on pg_language.oid = prolang
union all
select 'policy', relname, polname,
  concat_ws(' ', case when polpermissive then 'permissive' else 'restrictive' end, 'for', polcmd, 'to', (
    select string_agg(case role when 0 then 'public' when relowner then 'owner' else role::regrole::text end, ',' order by role)
    from unnest(polroles) role
  ), 'using (' || pg_get_expr(polqual, polrelid, true) || ')', 'check (' || pg_get_expr(polwithcheck, polrelid, true) || ')'),
  format('create policy %I on %I as %s for %s to %s%s%s', polname, relname,
    case when polpermissive then 'permissive' else 'restrictive' end,
    case polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete' else 'all' end,
    (select string_agg(case role when 0 then 'public' when relowner then 'current_user' else role::regrole::text end, ', ') from unnest(polroles) role),
    ' using (' || pg_get_expr(polqual, polrelid, true) || ')', ' with check (' || pg_get_expr(polwithcheck, polrelid, true) || ')'),
  json_build_object('isPermissive', polpermissive)
from pg_policy join relations on polrelid = relations.oid
union all
select 'trigger', relname, tgname, tgenabled::text || ' ' || pg_get_triggerdef(pg_trigger.oid, true), null, null
from pg_trigger join relations on tgrelid = relations.oid where not tgisinternal
union all
select 'rule', relname, rulename, pg_get_ruledef(pg_rewrite.oid, true), null, null
from pg_rewrite join relations on ev_class = relations.oid
order by kind, "table", name`

/** Sets the search path until the end of the transaction. */
export const useSearchPath = (path: string) => /* sql */ `set local search_path to ${path}`
