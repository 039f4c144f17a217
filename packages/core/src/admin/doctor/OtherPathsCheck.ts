/**
 * Finds objects that reach our tables without a right on them: views, rules and functions that run as another role, tables
 * that inherit, and foreign tables. Objects that do not reach our tables are ignored.
 */
import * as Effect from "effect/Effect"
import * as SqlClient from "effect/sql/SqlClient"
import { rights } from "../../schema/tables.ts"
import { type Finding, failed, passed, warning } from "./Finding.ts"
import type { ReachedRole } from "./ReachedRoles.ts"
import { revoke } from "./RightsCheck.ts"

const subject = "other paths"

export const check = Effect.fnUntraced(function* (schema: string, roles: ReadonlyArray<ReachedRole>) {
  const relations = yield* throughRelations(schema, roles)
  const findings = [
    ...relations.findings,
    ...(yield* throughFunctions(schema, roles, relations.leading)),
    ...(yield* throughFamilies(schema)),
    ...(yield* throughForeignTables(schema, roles))
  ]
  return findings.length > 0
    ? findings
    : [passed(subject, "no view, rule, function or other table bypasses the rights on our tables")]
})

/** SQL for the grants on an object that the roles hold, as JSON for `revoke`. */
const grantsOn = (acl: string, owner: string) => `(
  select coalesce(json_agg(json_build_object(
    'grantee', case grantee when 0 then 'public' else grantee::regrole::text end,
    'grantor', grantor::regrole::text, 'owner', ${owner}::regrole::text,
    'privileges', array[lower(privilege_type)], 'isGrantable', is_grantable
  ) order by grantee, privilege_type), '[]'::json)::text
  from aclexplode(${acl}) where (grantee = 0 or grantee = any($2::oid[])) and grantee <> ${owner}
)`

interface HeldGrant {
  readonly grantee: string
  readonly grantor: string
  readonly owner: string
  readonly privileges: ReadonlyArray<string>
  readonly isGrantable: boolean
}

const revokeAll = (object: string, grants: string): ReadonlyArray<string> =>
  (JSON.parse(grants) as ReadonlyArray<HeldGrant>).flatMap((grant) => revoke({ ...grant, object, column: null }))

/**
 * Finds views, materialized views and rules, in any number of steps. A view runs as its owner, or as the caller if it is
 * `security_invoker`. A rule runs as the owner of its table. A materialized view stores what its owner could read.
 */
const throughRelations = Effect.fnUntraced(function* (schema: string, roles: ReadonlyArray<ReachedRole>) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql.unsafe(
    `with recursive ours as (
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
select nspname::text, relname::text, name, relkind::text, rule::text, via, rolname::text, bypasses, is_stored, string_agg(distinct table_name, ', ' order by table_name),
  is_reached and (is_stored or (is_above and not as_invoker)),
  ${grantsOn("(select relacl from pg_class c where c.oid = judged.oid)", "relowner")},
  coalesce((select json_agg(json_build_object('column', quote_ident(attname), 'grantee', case grantee when 0 then 'public' else grantee::regrole::text end,
    'grantor', grantor::regrole::text, 'owner', relowner::regrole::text, 'privileges', array[lower(privilege_type)], 'isGrantable', is_grantable))
    from pg_attribute, aclexplode(attacl) where attrelid = judged.oid and (grantee = 0 or grantee = any($2::oid[])) and grantee <> relowner), '[]'::json)::text
from judged
group by oid, nspname, relname, name, relkind, relowner, rule, via, rolname, bypasses, is_stored, is_reached, is_above, as_invoker
order by name, via`,
    [schema, roles.map(({ oid }) => oid)]
  ).values
  const findings = new Map<string, Finding>()
  const leading = new Map<string, Relation>()
  for (const row of rows) {
    const [space, plain, name, kind, rule, via, actor, bypasses, isStored, tables, isHole, grants, columns] =
      row as RelationRow
    leading.set(name, { space, name: plain })
    if (!isHole) continue
    const what = rule === null ? `${kinds[kind] ?? "table"} ${name}` : `rule ${rule} on ${name}`
    const detail = isStored
      ? `${what} stores rows of ${tables} without row-level security`
      : `${what} leads to ${tables} as "${actor}"${via === name ? "" : ` (through ${via})`}, ${held(bypasses)}`
    const columnGrants = JSON.parse(columns) as ReadonlyArray<HeldGrant & { readonly column: string }>
    const revocations = [
      ...revokeAll(name, grants),
      ...columnGrants.flatMap((grant) => revoke({ ...grant, object: name }))
    ]
    findings.set(
      `${name} ${via}`,
      rule !== null
        ? failed(subject, detail, "drop the rule, or remove our tables from it", [`drop rule "${rule}" on ${name}`])
        : revocations.length > 0
          ? failed(
              subject,
              detail,
              isStored
                ? "revoke it from the role of the server"
                : `revoke it from the role of the server; if it needs the view, let the view run as the caller: alter view ${via} set (security_invoker = true)`,
              revocations
            )
          : failed(subject, detail, "let it run as the caller", [`alter view ${via} set (security_invoker = true)`])
    )
  }
  return { findings: [...findings.values()], leading: [...leading.values()] }
})

interface Relation {
  readonly space: string
  readonly name: string
}

type RelationRow = [
  space: string,
  plain: string,
  name: string,
  kind: string,
  rule: string | null,
  via: string,
  actor: string,
  bypasses: boolean,
  isStored: boolean,
  tables: string,
  isHole: boolean,
  grants: string,
  columns: string
]

const kinds: Readonly<Record<string, string>> = { v: "view", m: "materialized view", r: "table" }

const held = (bypasses: boolean): string =>
  bypasses ? "which bypasses row-level security" : "which has the rights of the owner of the tables"

/**
 * Finds functions that run as their owner. A body is only text: a function counts if it names our tables, or names a view
 * or a function that leads to them. A function that builds its SQL cannot be judged and is a warning.
 */
const throughFunctions = Effect.fnUntraced(function* (
  schema: string,
  roles: ReadonlyArray<ReachedRole>,
  leading: ReadonlyArray<Relation>
) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql.unsafe(
    `with ours as (
  select c.oid, relowner from pg_class c join pg_namespace n on n.oid = relnamespace where nspname = $1 and relkind in ('r', 'p')
), owner as (
  select r.oid, rolname, rolsuper or rolbypassrls as bypasses,
    rolsuper or rolbypassrls or exists (select from ours where pg_has_role(r.oid, relowner, 'usage')) as is_above
  from pg_roles r
)
select n.nspname::text, proname::text, format('%I.%I(%s)', nspname, proname, pg_get_function_identity_arguments(p.oid)),
  case when prosqlbody is null then prosrc else pg_get_function_sqlbody(p.oid) end,
  exists (
    select from pg_depend where classid = 'pg_proc'::regclass and objid = p.oid and refclassid = 'pg_class'::regclass
      and refobjid in (select oid from ours)
  ),
  (select substring(setting from 'search_path=(.*)') from unnest(proconfig) setting where setting like 'search_path=%'),
  lanname = 'plpgsql', prosecdef and is_above and not proowner = any($2::oid[]) and nspname <> $1, rolname::text, bypasses,
  exists (
    select from unnest($2::oid[]) role where has_schema_privilege(role, n.oid, 'usage') and has_function_privilege(role, p.oid, 'execute')
  ) and prorettype not in ('trigger'::regtype, 'event_trigger'::regtype),
  array(
    select format('drop trigger %I on %s', tgname, tgrelid::regclass) from pg_trigger
    where tgfoid = p.oid and not tgisinternal and exists (
      select from unnest($2::oid[]) role where has_table_privilege(role, tgrelid, 'insert, update, delete, truncate')
        or has_any_column_privilege(role, tgrelid, 'insert, update')
    )
    union all
    select format('drop event trigger %I', evtname) from pg_event_trigger where evtfoid = p.oid
  ),
  ${grantsOn("coalesce(proacl, acldefault('f', proowner))", "proowner")}
from pg_proc p join pg_namespace n on n.oid = pronamespace join pg_language l on l.oid = prolang join owner on owner.oid = proowner
where nspname not in ('pg_catalog', 'information_schema') and lanname not in ('c', 'internal')
  and not exists (select from pg_depend where classid = 'pg_proc'::regclass and objid = p.oid and deptype = 'e')
order by 3`,
    [schema, roles.map(({ oid }) => oid)]
  ).values
  const functions = rows.map((row) => {
    const [space, name, signature, body, depends, path, isPlpgsql, ...rest] = row as FunctionRow
    const [isAbove, owner, bypasses, isCallable, triggers, grants] = rest
    const names = pathNames(path)
    // A function without its own search_path uses that of its caller.
    const isUnqualified = path === null || names.includes(schema)
    return {
      space,
      name,
      signature,
      body,
      depends,
      path,
      isPlpgsql,
      isAbove,
      owner,
      bypasses,
      isCallable,
      triggers,
      grants,
      isUnqualified
    }
  })

  const tables = Object.keys(rights)
    .filter((table) => table !== "migrations")
    .join("|")
  const qualified = new RegExp(`(^|[^\\w.])"?${schema}"?\\s*\\.\\s*"?(${tables})"?(?!\\w)`, "i")
  const bare = new RegExp(`\\b(from|join|into|update|table|only|using)\\s+"?(${tables})"?(?![\\w.])`, "i")
  const views = leading.map(({ name, space }) => ofRelation(space, name))
  const leads = new Set(
    functions.filter(
      ({ body, depends, isUnqualified }) =>
        depends || qualified.test(body) || (isUnqualified && bare.test(body)) || views.some((view) => view.test(body))
    )
  )
  // A function that calls one of these leads there too. Repeat until none is added.
  for (let before = -1; before < leads.size;) {
    before = leads.size
    const calls = [...leads].filter(({ space }) => space !== schema).map(({ name, space }) => callOf(space, name))
    for (const one of functions) if (calls.some((call) => call.test(one.body))) leads.add(one)
  }

  return functions.flatMap((one): ReadonlyArray<Finding> => {
    if (!one.isAbove || !(one.isCallable || one.triggers.length > 0)) return []
    const repair = [...(one.isCallable ? revokeAll(`function ${one.signature}`, one.grants) : []), ...one.triggers]
    const as = `runs as "${one.owner}", ${held(one.bypasses)}`
    const hint = one.isCallable
      ? "revoke it, and grant it to the roles that need it"
      : "drop the trigger, or let its function run as the caller (security invoker)"
    if (leads.has(one)) return [failed(subject, `function ${one.signature} ${as}, and names our tables`, hint, repair)]
    if (one.isPlpgsql && /\bexecute\s+(?!function\b|procedure\b|on\b)/i.test(one.body)) {
      const detail = `function ${one.signature} ${as}, and builds its SQL, which may lead to our tables`
      return [warning(subject, detail, `read which statements it runs; if those can reach our tables, ${hint}`, repair)]
    }
    return []
  })
})

type FunctionRow = [
  space: string,
  name: string,
  signature: string,
  body: string,
  depends: boolean,
  path: string | null,
  isPlpgsql: boolean,
  isAbove: boolean,
  owner: string,
  bypasses: boolean,
  isCallable: boolean,
  triggers: ReadonlyArray<string>,
  grants: string
]

const pathNames = (path: string | null): ReadonlyArray<string> =>
  (path ?? "").split(",").map((name) => name.trim().replaceAll(/^"|"$/g, ""))

const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&")

/** Matches a relation in SQL text: with its schema, or without it behind a keyword such as `from`. */
const ofRelation = (space: string, name: string): RegExp => {
  const called = `"?${escaped(name)}"?(?![\\w.])`
  return new RegExp(`(^|[^\\w.])"?${escaped(space)}"?\\s*\\.\\s*${called}|\\b(from|join|into|update)\\s+${called}`, "i")
}

/** Matches a call of a function in SQL text, with or without its schema. */
const callOf = (space: string, name: string): RegExp =>
  new RegExp(`(^|[^\\w.]|(^|[^\\w.])"?${escaped(space)}"?\\s*\\.\\s*)"?${escaped(name)}"?\\s*\\(`, "i")

/** Finds parents and children of our tables. A query of a parent reads its children without their rights and policies. */
const throughFamilies = Effect.fnUntraced(function* (schema: string) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql.unsafe(
    `select format('%I.%I', pn.nspname, p.relname), format('%I.%I', cn.nspname, c.relname), c.relispartition, cn.nspname = $1
from pg_inherits i
join pg_class p on p.oid = inhparent join pg_namespace pn on pn.oid = p.relnamespace
join pg_class c on c.oid = inhrelid join pg_namespace cn on cn.oid = c.relnamespace
where c.relkind in ('r', 'p', 'f') and (
  (cn.nspname = $1 and c.relname = any($2::text[])) or (pn.nspname = $1 and p.relname = any($2::text[]))
) order by 1, 2`,
    [schema, Object.keys(rights)]
  ).values
  return rows.map((row) => {
    const [parent, child, isPartition, isOurs] = row as [string, string, boolean, boolean]
    return failed(
      subject,
      isOurs
        ? `${child} is ${isPartition ? "a partition" : "a child"} of ${parent}: a role that may read ${parent} also reads ${child}, without its policies`
        : `${child} is ${isPartition ? "a partition" : "a child"} of ${parent}: its rows appear in ${parent} and have no policy`,
      "detach the tables from each other",
      [isPartition ? `alter table ${parent} detach partition ${child}` : `alter table ${child} no inherit ${parent}`]
    )
  })
})

/** Finds foreign tables that connect to this database again, as the role of their user mapping. */
const throughForeignTables = Effect.fnUntraced(function* (schema: string, roles: ReadonlyArray<ReachedRole>) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql.unsafe(
    `with foreign_table as (
  select c.oid, c.relacl, c.relowner, c.relnamespace, format('%I.%I', n.nspname, c.relname) as name, s.srvname,
    coalesce((select option_value from pg_options_to_table(ftoptions) where option_name = 'schema_name'), n.nspname) as remote_schema,
    coalesce((select option_value from pg_options_to_table(ftoptions) where option_name = 'table_name'), c.relname) as remote_table,
    (select option_value from pg_options_to_table(srvoptions) where option_name = 'dbname') as remote_database
  from pg_foreign_table f join pg_class c on c.oid = ftrelid join pg_namespace n on n.oid = c.relnamespace
  join pg_foreign_server s on s.oid = ftserver join pg_foreign_data_wrapper w on w.oid = srvfdw
  where fdwname = 'postgres_fdw'
)
select name, srvname::text, remote_table, ${grantsOn("relacl", "relowner")} from foreign_table
where remote_schema = $1 and remote_table = any($3::text[]) and coalesce(remote_database, current_database()) = current_database()
  and exists (
    select from unnest($2::oid[]) role where has_schema_privilege(role, relnamespace, 'usage')
      and has_table_privilege(role, foreign_table.oid, 'select, insert, update, delete')
  )
order by 1`,
    [schema, roles.map(({ oid }) => oid), Object.keys(rights)]
  ).values
  return rows.map((row) => {
    const [name, server, table, grants] = row as [string, string, string, string]
    const detail = `foreign table ${name} leads to ${table} through server "${server}", as the role of its user mapping`
    return failed(subject, detail, "revoke it from the role of the server", revokeAll(name, grants))
  })
})
