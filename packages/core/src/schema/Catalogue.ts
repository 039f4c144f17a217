/**
 * Reads the objects of a schema from PostgreSQL's catalogues, for two schemas: the one in the database, and the one that
 * the migrations of this release make.
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as SqlClient from "effect/sql/SqlClient"
import { functions } from "./functions/index.ts"
import { migrations } from "./migrations/index.ts"
import { policies } from "./tables.ts"

export interface Entry {
  readonly kind: "table" | "column" | "index" | "constraint" | "function" | "policy" | "trigger" | "rule"
  /** The table of the object; `null` for a table or a function. */
  readonly table: string | null
  readonly name: string
  readonly definition: string
  /** The statement that creates the object, for a session with the schema as its search path; `null` if there is none. */
  readonly statement: string | null
}

class Read extends Data.TaggedError("Read")<{
  readonly here: ReadonlyArray<Entry>
  readonly ours: ReadonlyArray<Entry>
}> {}

/**
 * Reads both schemas in one transaction, which is rolled back. The migrations run in the temporary schema of the
 * connection. So the same server describes both, and the role needs only the right to create temporary tables.
 */
export const readBoth = Effect.fnUntraced(function* (schema: string) {
  const sql = yield* SqlClient.SqlClient
  const run = (statement: string) => sql.unsafe(statement).unprepared
  return yield* sql
    .withTransaction(
      Effect.gen(function* () {
        // PostgreSQL describes objects of the search path without their schema.
        yield* run(`set local search_path to "${schema}"`)
        const here = yield* entries(schema, schema)
        yield* run("set local search_path to ''")
        const made = [...migrations.flatMap(({ up }) => up(temporary)), ...functions(temporary), ...policies(temporary)]
        for (const statement of made) yield* run(statement)
        return yield* new Read({ here, ours: yield* entries("pg_temp", schema) })
      })
    )
    .pipe(Effect.catchTag("Read", ({ here, ours }) => Effect.succeed({ here, ours })))
})

const temporary = '"pg_temp"'

/** Reads the objects of `schema`. The statements create them in the schema `to`. */
const entries = Effect.fnUntraced(function* (schema: string, to: string) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql.unsafe(
    `with here as (
  select oid from pg_namespace
  where oid = case $1 when 'pg_temp' then pg_my_temp_schema() else to_regnamespace(format('%I', $1)) end
), relations as (
  select c.* from pg_class c join here on c.relnamespace = here.oid where c.relkind in ('r', 'p', 'c') and c.relname <> 'migrations'
)
select 'table', null::text, relname::text, concat_ws(' and ', case relpersistence when 'u' then 'unlogged' end, case when exists (
  select from pg_trigger where tgrelid = relations.oid and tgisinternal and tgenabled not in ('O', 'A')
) then 'without checks of its foreign keys' end), null::text
from relations where relkind <> 'c'
union all
select 'column', relname, attname,
  format_type(atttypid, atttypmod)
    || coalesce((select ' collate ' || collname from pg_collation where oid = attcollation and collname <> 'default'), '')
    || case when attnotnull then ' not null' else '' end
    || coalesce(' default ' || pg_get_expr(adbin, adrelid, true), '') || attidentity::text || attgenerated::text,
  null
from pg_attribute join relations on attrelid = relations.oid
left join pg_attrdef on adrelid = attrelid and adnum = attnum
where attnum > 0 and not attisdropped
union all
select 'index', t.relname, i.relname, pg_get_indexdef(i.oid, 0, true) || case when indisvalid then '' else ' invalid' end,
  pg_get_indexdef(i.oid, 0, true)
from pg_index join relations t on indrelid = t.oid join pg_class i on i.oid = indexrelid
where not exists (select from pg_constraint where conindid = indexrelid and contype in ('p', 'u', 'x'))
union all
select 'constraint', relname, conname, pg_get_constraintdef(pg_constraint.oid, true),
  format('alter table %I add constraint %I %s', relname, conname, pg_get_constraintdef(pg_constraint.oid, true))
from pg_constraint join relations on conrelid = relations.oid where contype not in ('n', 't')
union all
select 'function', null, format('%s(%s)', proname, pg_get_function_identity_arguments(pg_proc.oid)),
  concat_ws(' ', case when prosecdef then 'security definer' end, 'returns', pg_get_function_result(pg_proc.oid), lanname, provolatile, proisstrict, proparallel,
    proconfig, pg_get_function_arguments(pg_proc.oid), prosrc),
  case prokind when 'f' then pg_get_functiondef(pg_proc.oid) end
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
    ' using (' || pg_get_expr(polqual, polrelid, true) || ')', ' with check (' || pg_get_expr(polwithcheck, polrelid, true) || ')')
from pg_policy join relations on polrelid = relations.oid
union all
select 'trigger', relname, tgname, tgenabled::text || ' ' || pg_get_triggerdef(pg_trigger.oid, true), null
from pg_trigger join relations on tgrelid = relations.oid where not tgisinternal
union all
select 'rule', relname, rulename, pg_get_ruledef(pg_rewrite.oid, true), null
from pg_rewrite join relations on ev_class = relations.oid
order by 1, 2, 3`,
    [schema]
  ).values
  const home = schema === "pg_temp" ? /"pg_temp"|\bpg_temp(_\d+)?(?=\.)/g : new RegExp(`"${schema}"`, "g")
  return rows.map((row): Entry => {
    const [kind, table, name, definition, statement] = row as [
      Entry["kind"],
      string | null,
      string,
      string,
      string | null
    ]
    return {
      kind,
      table,
      name,
      definition: definition.replaceAll(home, "ours").replaceAll("ours.", ""),
      statement: statement?.replaceAll(home, `"${to}"`) ?? null
    }
  })
})
