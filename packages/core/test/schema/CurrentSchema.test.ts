import { expect, layer } from "@effect/vitest"
import { TestDatabase } from "@todo/core/testing"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { asOwner } from "../support/connections.ts"

/**
 * The statements that create every object of the schema, from the catalogues of the database. Indexes, policies and
 * row-level security come after their table.
 */
const describe = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql`
with relations as (
  select c.oid, c.relname, c.relkind, c.relrowsecurity, c.relforcerowsecurity, c.reloptions
  from pg_class c where relnamespace = 'todo'::regnamespace and relkind in ('r', 'c')
), columns as (
  select attrelid, string_agg(
    '  ' || attname || ' ' || format_type(atttypid, atttypmod)
      || coalesce((select ' collate "' || collname || '"' from pg_collation where oid = attcollation and collname <> 'default'), '')
      || case when attnotnull then ' not null' else '' end
      || coalesce(' default ' || pg_get_expr(adbin, adrelid), ''),
    E',\n' order by attnum
  ) as text
  from pg_attribute left join pg_attrdef on adrelid = attrelid and adnum = attnum
  where attrelid in (select oid from relations) and attnum > 0 and not attisdropped group by attrelid
), constraints as (
  select conrelid, string_agg(
    ',' || E'\n  constraint ' || conname || ' ' || pg_get_constraintdef(oid), '' order by contype <> 'p', conname
  ) as text
  from pg_constraint where conrelid in (select oid from relations) and contype not in ('n', 't') group by conrelid
), indexes as (
  select indrelid, string_agg(E'\n' || pg_get_indexdef(indexrelid) || ';', '' order by indexrelid::regclass::text) as text
  from pg_index
  where indrelid in (select oid from relations)
    and not exists (select from pg_constraint where conindid = indexrelid and contype in ('p', 'u', 'x'))
  group by indrelid
), policies as (
  select polrelid, string_agg(
    E'\ncreate policy ' || polname || ' on ' || polrelid::regclass
      || ' for ' || case polcmd when '*' then 'all' when 'r' then 'select' end
      || case when polroles = '{0}' then '' else ' to <the owner of the tables>' end
      || ' using (' || pg_get_expr(polqual, polrelid) || ')'
      || coalesce(' with check (' || pg_get_expr(polwithcheck, polrelid) || ')', '') || ';',
    '' order by polname
  ) as text
  from pg_policy where polrelid in (select oid from relations) group by polrelid
)
select case relkind
    when 'c' then 'create type todo.' || relname || E' as (\n' || c.text || E'\n);'
    else 'create table todo.' || relname || E' (\n' || c.text || coalesce(k.text, '') || E'\n)'
      || coalesce(' with (' || array_to_string(reloptions, ', ') || ')', '') || ';' || coalesce(i.text, '')
      || case when relrowsecurity then E'\nalter table todo.' || relname || ' enable row level security;' else '' end
      || case when relforcerowsecurity then E'\nalter table todo.' || relname || ' force row level security;' else '' end
      || coalesce(p.text, '')
  end
from relations r join columns c on c.attrelid = r.oid
left join constraints k on k.conrelid = r.oid left join indexes i on i.indrelid = r.oid left join policies p on p.polrelid = r.oid
order by relkind, relname`.values
  const functions = yield* sql`
select pg_get_functiondef(oid) || ';' from pg_proc where pronamespace = 'todo'::regnamespace
order by proname, pg_get_function_identity_arguments(oid)`.values
  return [...rows, ...functions].map(([text]) => `${String(text).replaceAll(/ +$/gm, "").trim()}\n`).join("\n")
})

layer(TestDatabase.layer, { excludeTestServices: true })("the schema of this release", (it) => {
  it.effect("current.sql shows the current schema (npm test -- CurrentSchema -u writes it)", () =>
    Effect.gen(function* () {
      const text = yield* asOwner(describe)
      yield* Effect.promise(() =>
        expect(
          `-- The whole schema as it is today, generated from a migrated database. Not run by anything: read it.\n\n${text}`
        ).toMatchFileSnapshot("../../src/schema/current.sql")
      )
    })
  )
})
