import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { ownedTables } from "../../src/schema/tables.ts"
import { layerDatabase } from "../support/host.ts"

/** The owner column, with which every key of a table with an owner begins. */
const owner = (table: string) => ownedTables.find(({ name }) => name === table)?.owner

layer(layerDatabase)("the schema", (it) => {
  it.effect("every primary key, unique constraint and index begins with the owner", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const indexes = yield* sql<{ table: string; index: string; leads: string }>`
        select t.relname as table, i.relname as index, pg_get_indexdef(x.indexrelid, 1, true) as leads
        from pg_index x join pg_class t on t.oid = x.indrelid join pg_class i on i.oid = x.indexrelid
        where t.relnamespace = 'todo'::regnamespace and t.relname <> 'migrations'`
      assert.isAtLeast(indexes.length, 8)
      for (const { index, leads, table } of indexes) assert.strictEqual(leads, owner(table), index)
    })
  )

  it.effect("the tables with an owner column are those of the list", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const owned = yield* sql<{ name: string }>`
        select relname::text as name from pg_attribute join pg_class c on c.oid = attrelid
        where relnamespace = 'todo'::regnamespace and relkind in ('r', 'p') and attname = 'owner_id'`
      assert.sameMembers(
        owned.map(({ name }) => name),
        ownedTables.filter(({ owner }) => owner === "owner_id").map(({ name }) => name)
      )
    })
  )

  it.effect("every foreign key begins with the owner", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const keys = yield* sql<{ name: string; leads: string }>`
        select conname as name, (select attname from pg_attribute where attrelid = conrelid and attnum = conkey[1]) as leads
        from pg_constraint where connamespace = 'todo'::regnamespace and contype = 'f'`
      assert.isAtLeast(keys.length, 3)
      for (const { leads, name } of keys) assert.strictEqual(leads, "owner_id", name)
    })
  )

  it.effect(
    "row-level security is forced, with a policy for every command, on every table with an owner and on erasures",
    () =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const tables = yield* sql<{ name: string; held: boolean; commands: string }>`
        select relname::text as name, relrowsecurity and relforcerowsecurity as held,
          (select coalesce(string_agg(polcmd::text, ''), '') from pg_policy where polrelid = c.oid) as commands
        from pg_class c where relnamespace = 'todo'::regnamespace and relkind in ('r', 'p') and relname not in ('migrations', 'search_form')`
        assert.isAtLeast(tables.length, 3)
        for (const { commands, held, name } of tables) {
          assert.isTrue(held, name)
          assert.include(commands, "*", name)
        }
      })
  )

  it.effect("the role of servers owns nothing and cannot bypass row-level security", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const [role] = yield* sql`
        select rolsuper, rolbypassrls, rolcreaterole, (select count(*)::int from pg_class where relowner = r.oid) as owns
        from pg_roles r where rolname = current_user`
      assert.deepStrictEqual(role as object, { rolsuper: false, rolbypassrls: false, rolcreaterole: false, owns: 0 })
    })
  )
})
