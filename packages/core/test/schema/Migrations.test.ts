import { createHash } from "node:crypto"
import { assert, it, layer } from "@effect/vitest"
import { Migrations, SchemaName } from "@todo/core"
import { TestDatabase } from "@todo/core/testing"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { functions } from "../../src/schema/functions/index.ts"
import { migrations } from "../../src/schema/migrations/index.ts"
import { upTo } from "../../src/schema/Migrations.ts"
import { asOwner } from "../support/connections.ts"
import { connect } from "../support/host.ts"

const query = <Row extends object>(text: string, parameters: ReadonlyArray<unknown> = []) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) => sql.unsafe<Row>(text, parameters))

const inSchema = (name: string) => Effect.provideService(SchemaName, name)

const broken = {
  id: Migrations.version + 1,
  name: "broken",
  up: (s: string) => [`create table ${s}.extra ()`, "nonsense"]
}

const digest = (text: ReadonlyArray<string>) => createHash("sha256").update(text.join("\n")).digest("hex").slice(0, 16)

/** The checksums of released migrations, which are never edited. A new migration adds a line. */
const released: Readonly<Record<number, string>> = {
  5: "7df1e06efeb9c1b6",
  6: "a93aed69f2d256b8",
  7: "e3b0c44298fc1c14",
  8: "2300b7c3d7d68727"
}

/** The functions of the last migration. If they changed, add a migration with the next number, and change this line. */
const functionsOf: readonly [version: number, digest: string] = [8, "6bc929c60c687cd3"]

it("released migrations are unchanged", () => {
  assert.deepStrictEqual(Object.fromEntries(migrations.map(({ id, up }) => [id, digest(up('"todo"'))])), released)
})

it("a change of the functions has a migration number of its own", () => {
  assert.deepStrictEqual([Migrations.version, digest(functions('"todo"'))], functionsOf)
})

layer(TestDatabase.layerEmpty, { excludeTestServices: true })("Migrations", (it) => {
  it("migrations are numbered without a gap", () => {
    const [first] = migrations
    assert.deepStrictEqual(
      migrations.map(({ id }) => id),
      migrations.map((_, index) => (first?.id ?? 0) + index)
    )
  })

  it.effect("migrations run once if three processes start them at the same time", () =>
    Effect.gen(function* () {
      const applied = yield* Effect.all(
        Array.from({ length: 3 }, () => asOwner(Migrations.up())),
        { concurrency: 3 }
      )
      assert.deepStrictEqual(
        applied.flatMap((upgrade) => upgrade.migrations.map(({ id }) => id)),
        migrations.map(({ id }) => id)
      )
      yield* asOwner(Migrations.check)
    }).pipe(inSchema("three_at_once"))
  )

  it.effect("migrations change nothing if one of them fails, and the error names it", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(asOwner(upTo([...migrations, broken], {})))
      assert.deepInclude(error, { _tag: "MigrationFailed", step: `Migration ${broken.id} (broken)`, sqlState: "42601" })
      const schemas = yield* asOwner(query("select from pg_namespace where nspname = 'all_or_nothing'"))
      assert.deepStrictEqual(schemas, [])
    }).pipe(inSchema("all_or_nothing"))
  )

  it.effect("a failed migration keeps the schema of the migrations before the upgrade", () =>
    Effect.gen(function* () {
      yield* asOwner(Migrations.up())
      yield* Effect.flip(asOwner(upTo([...migrations, broken], {})))
      yield* asOwner(Migrations.check)
      assert.deepStrictEqual(yield* asOwner(query("select to_regclass('later.extra')::text as found")), [
        { found: null }
      ])
    }).pipe(inSchema("later"))
  )

  it.effect("up and check refuse a schema of a newer release", () =>
    Effect.gen(function* () {
      yield* asOwner(Migrations.up())
      yield* asOwner(query("insert into newer.migrations (id, name) values (99, 'from the future')"))
      for (const attempt of [Migrations.up(), Migrations.check]) {
        const error = yield* Effect.flip(asOwner<unknown, object, SqlClient.SqlClient>(attempt))
        assert.deepInclude(error, { _tag: "SchemaMismatch", found: 99, expected: Migrations.version })
      }
    }).pipe(inSchema("newer"))
  )

  it.effect("up and check refuse a schema that is older than the baseline, and say how to move the data", () =>
    Effect.gen(function* () {
      yield* asOwner(Migrations.up())
      yield* asOwner(query("delete from older.migrations where id > 5"))
      yield* asOwner(query("update older.migrations set id = 3, name = 'erasures'"))
      for (const attempt of [Migrations.up(), Migrations.check]) {
        const error = yield* Effect.flip(asOwner<unknown, object, SqlClient.SqlClient>(attempt))
        assert.deepInclude(error, { _tag: "SchemaMismatch", found: 3, expected: Migrations.version })
        assert.match(String(error), /upgrades from 5 on: run "todo-admin user export" of the release that made it/)
      }
    }).pipe(inSchema("older"))
  )

  it.effect("check refuses functions that differ from those of the release, until up has replaced them", () =>
    Effect.gen(function* () {
      yield* asOwner(Migrations.up())
      yield* asOwner(query("drop function changed.position_width(text)"))
      yield* asOwner(
        query(
          "create or replace function changed.instant(moment timestamptz) returns text language sql as 'select null'"
        )
      )
      const error = yield* Effect.flip(asOwner(Migrations.check))
      assert.deepInclude(error, { _tag: "SchemaMismatch", functions: ["instant", "position_width"] })
      assert.include(
        error.message,
        'differ from this release\'s (instant, position_width): run "todo-admin migrate up"'
      )
      assert.deepStrictEqual(yield* asOwner(Migrations.up()), {
        migrations: [],
        functions: ["instant", "position_width"]
      })
      yield* asOwner(Migrations.check)
    }).pipe(inSchema("changed"))
  )

  it.effect("check refuses a function with other attributes, until up has replaced it", () =>
    Effect.gen(function* () {
      yield* asOwner(Migrations.up())
      yield* asOwner(query("alter function other_attributes.instant(timestamptz) immutable"))
      const error = yield* Effect.flip(asOwner(Migrations.check))
      assert.deepInclude(error, { _tag: "SchemaMismatch", functions: ["instant"] })
      assert.deepStrictEqual((yield* asOwner(Migrations.up())).functions, ["instant"])
      yield* asOwner(Migrations.check)
    }).pipe(inSchema("other_attributes"))
  )

  it.effect("a migration that only adds a table also adds its policy", () =>
    Effect.gen(function* () {
      yield* asOwner(Migrations.up())
      // As a release before that did not have the table.
      yield* asOwner(query("drop policy own_rows on only_a_table.todo_words"))
      yield* asOwner(query("alter table only_a_table.todo_words disable row level security"))
      const added = { id: Migrations.version + 1, name: "added", up: () => [] }
      const { functions } = yield* asOwner(upTo([...migrations, added], {}))
      assert.deepStrictEqual(functions, [])
      const [table] = yield* asOwner(
        query(`select relrowsecurity and relforcerowsecurity as forced,
          (select count(*)::int from pg_policy where polrelid = c.oid) as policies
          from pg_class c where oid = 'only_a_table.todo_words'::regclass`)
      )
      assert.deepStrictEqual(table as object, { forced: true, policies: 1 })
    }).pipe(inSchema("only_a_table"))
  )

  it.effect("check refuses a table without row-level security, until up has forced it", () =>
    Effect.gen(function* () {
      yield* asOwner(Migrations.up())
      yield* asOwner(query("alter table open_table.lists no force row level security"))
      const error = yield* Effect.flip(asOwner(Migrations.check))
      assert.deepInclude(error, { _tag: "SchemaMismatch", openTables: ["lists"] })
      yield* asOwner(Migrations.up())
      yield* asOwner(Migrations.check)
    }).pipe(inSchema("open_table"))
  )

  it.effect("up refuses a schema of another program, and changes nothing in it", () =>
    Effect.gen(function* () {
      const described = query(`select pg_describe_object(classid, objid, 0) as object from pg_depend
        where refclassid = 'pg_namespace'::regclass and refobjid = 'taken'::regnamespace order by 1`)
      for (const [inUse, found] of [
        ["create table taken.invoices ()", /invoices/],
        ["create function taken.f() returns int language sql return 1", /function taken.f/],
        ["create type taken.colour as enum ('red')", /type taken.colour/],
        ["create table taken.migrations (id int primary key, migration text)", /migrations/]
      ] as const) {
        yield* asOwner(query("create schema taken"))
        yield* asOwner(query(inUse))
        const before = yield* asOwner(described)
        const error = yield* Effect.flip(asOwner(Migrations.up({ runtimeRole: "todo_runtime" })))
        assert.deepInclude(error, { _tag: "MigrationFailed", step: "Creating the schema", sqlState: "42P06" })
        assert.match(error.message, /nothing was changed: schema "taken" is in use by something else .*TODO_SCHEMA/)
        assert.match(error.message, found)
        assert.deepStrictEqual(yield* asOwner(described), before)
        assert.deepInclude(yield* Effect.flip(asOwner(Migrations.check)), { _tag: "SchemaMismatch", found: 0 })
        yield* asOwner(query("drop schema taken cascade"))
      }
    }).pipe(inSchema("taken"))
  )

  it.effect("up uses an empty schema that exists already", () =>
    Effect.gen(function* () {
      yield* asOwner(query("create schema given"))
      yield* asOwner(Migrations.up())
      yield* asOwner(Migrations.check)
    }).pipe(inSchema("given"))
  )

  it.effect("up reports each step", () =>
    Effect.gen(function* () {
      const steps: Array<string> = []
      const up = Migrations.up({
        runtimeRole: "todo_runtime",
        onStep: (name) => Effect.sync(() => void steps.push(name))
      })
      yield* asOwner(up)
      const grant = 'Granting to role "todo_runtime"'
      const each = migrations.map(({ id, name }) => `Migration ${id} (${name})`)
      assert.deepStrictEqual(steps.splice(0), ["Creating the schema", ...each, "Functions and policies", grant])
      yield* asOwner(up)
      assert.deepStrictEqual(steps, [grant])
    }).pipe(inSchema("stepwise"))
  )

  it.effect("status reports every migration as missing on an empty database", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(asOwner(Migrations.check))
      assert.deepInclude(error, { _tag: "SchemaMismatch", found: 0 })
      const status = yield* asOwner(Migrations.status)
      assert.deepStrictEqual(
        status.map(({ appliedAt, name }) => ({ appliedAt, name })),
        migrations.map(({ name }) => ({ appliedAt: null, name }))
      )
    }).pipe(inSchema("nothing_here"))
  )

  it.effect("plan returns all statements of up without a database: run by hand, they create the same schema", () =>
    Effect.gen(function* () {
      const plan = yield* Migrations.plan(0, { runtimeRole: "todo_runtime" })
      yield* asOwner(
        Effect.forEach(
          plan.flatMap(({ statements }) => statements),
          (statement) => query(statement),
          { discard: true }
        )
      )
      yield* asOwner(Migrations.check)
      assert.deepStrictEqual(yield* asOwner(Migrations.up()), { migrations: [], functions: [] })
      assert.deepStrictEqual(yield* Migrations.plan(Migrations.version), [])
    }).pipe(inSchema("planned"))
  )

  it.effect("the runtime role gets rights on rows, but cannot change tables", () =>
    Effect.gen(function* () {
      yield* asOwner(Migrations.up({ runtimeRole: "todo_runtime" }))
      const { url } = yield* TestDatabase
      const asRuntime = Effect.provide(connect({ url, poolSize: 1 }))
      for (const statement of [
        "create table granted.mine ()",
        "alter table granted.todos disable row level security",
        "drop policy own_rows on granted.todos",
        "truncate granted.todos",
        "insert into granted.migrations (id, name) values (7, 'x')"
      ]) {
        const error = yield* Effect.flip(asRuntime(query(statement)))
        assert.strictEqual("reason" in error && error.reason._tag, "AuthorizationError", statement)
      }
      assert.deepStrictEqual(yield* asRuntime(query("select * from granted.todos")), [])
    }).pipe(inSchema("granted"))
  )
})
