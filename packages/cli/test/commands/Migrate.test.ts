import { spawnSync } from "node:child_process"
import { assert, describe, it } from "@effect/vitest"
import { Database, Migrations } from "@todo/core"
import { TestDatabase } from "@todo/core/testing"
import { Effect, Redacted } from "effect"
import { SqlClient } from "effect/sql"
import { admin, assertFailed, json, run, sql, start, atMostThree } from "../support/program.ts"

const tables = "select relname from pg_class where relnamespace = to_regnamespace('todo') and relkind = 'r' order by 1"

/** Runs `self` while a transaction holds the locks of `statement`. */
const holding = <A, E, R>(statement: string, self: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const { ownerUrl } = yield* TestDatabase
    return yield* Effect.gen(function* () {
      const client = yield* SqlClient.SqlClient
      return yield* client.withTransaction(Effect.andThen(client.unsafe(statement), self))
    }).pipe(Effect.provide(Database.layer({ url: ownerUrl, poolSize: 1, unlimited: true })))
  })

const onEmpty = Effect.provide(TestDatabase.layerEmpty)

describe.concurrent("todo-admin migrate", () => {
  it.live("`migrate plan` prints the plan without a database", () =>
    Effect.gen(function* () {
      const [text, document, rest, quiet, grants] = yield* atMostThree(
        run(["migrate", "plan"], { TODO_SCHEMA: "chores" }),
        run(["migrate", "plan", "--json"]),
        run(["migrate", "plan", "--from", `${Migrations.version}`]),
        run(["migrate", "plan", "--from", `${Migrations.version}`, "--quiet"]),
        run(["migrate", "grants", "--runtime-role", 'se"rver'])
      )
      assert.deepStrictEqual({ code: text.code, stderr: text.stderr }, { code: 0, stderr: "" })
      assert.match(text.stdout, /^begin;\n\n-- Creating the schema\n/)
      assert.match(text.stdout, /\n\n-- Migration 5 \(baseline\)\n\ncreate type "chores"\.outcome /)
      assert.match(text.stdout, /\n\n-- Functions and policies\n\ncreate or replace function "chores"\./)
      assert.match(text.stdout, /\n\ncommit;\n$/)
      assert.notMatch(text.stdout, /"todo"/)
      const steps: ReadonlyArray<{ name: string; statements: ReadonlyArray<string> }> = JSON.parse(document.stdout)
      const migrations = Array.from({ length: Migrations.version - 4 }, (_, n) => `Migration ${n + 5}`)
      assert.deepStrictEqual(
        steps.map(({ name }) => name.replace(/ \(.*/, "")),
        ["Creating the schema", ...migrations, "Functions and policies"]
      )
      assert.include(steps[1]?.statements.join(), 'create table "todo".users')
      assert.deepStrictEqual(rest, {
        code: 0,
        stdout: "",
        stderr: `Nothing to do: version ${Migrations.version} is the latest\n`
      })
      assert.deepStrictEqual(quiet, { code: 0, stdout: "", stderr: "" })
      assert.match(grants.stdout, /^begin;\n\n-- Granting to role "se"rver"\n[^]*\ngrant usage .* to "se""rver";\n/)
      assert.notMatch(grants.stdout, /create (table|schema)/)
    })
  )

  it.live("`migrate plan` prints a plan that psql can run, and that up and status recognise", (test) =>
    Effect.gen(function* () {
      if (spawnSync("psql", ["--version"]).error) return test.skip("there is no psql on this machine")
      const { ownerUrl } = yield* TestDatabase
      const plan = yield* run(["migrate", "plan", "--runtime-role", "todo_runtime"])
      const psql = spawnSync("psql", ["-v", "ON_ERROR_STOP=1", "-q", Redacted.value(ownerUrl)], {
        input: plan.stdout,
        encoding: "utf8"
      })
      assert.deepStrictEqual({ code: psql.status, stderr: psql.stderr }, { code: 0, stderr: "" })
      const [status, used, up] = yield* atMostThree(
        json<ReadonlyArray<{ id: number; appliedAt: string | null }>>("migrate", "status"),
        admin("todo", "add", "x", "--user", "a"),
        json<{ applied: ReadonlyArray<object> }>("migrate", "up")
      )
      assert.strictEqual(status.at(-1)?.id, Migrations.version)
      assert.isTrue(status.every(({ appliedAt }) => appliedAt !== null))
      assert.strictEqual(used.code, 0)
      assert.deepStrictEqual(up.applied, [])
    }).pipe(onEmpty)
  )

  it.live("`migrate up` prints each step, or the grants if there is nothing to migrate", () =>
    Effect.gen(function* () {
      const first = yield* admin("migrate", "up")
      assert.strictEqual(
        first.stderr,
        [
          "Creating the schema",
          ...first.stdout
            .trim()
            .split("\n")
            .map((line) => `Migration ${line.replace(/ (.*)/, " ($1)")}`),
          "Functions and policies",
          'Granting to role "todo_runtime"',
          `Migrated to version ${Migrations.version}\n`
        ].join("\n")
      )
      const [again, quiet, document, alone] = yield* atMostThree(
        admin("migrate", "up"),
        admin("migrate", "up", "--quiet"),
        json<object>("migrate", "up"),
        Effect.flatMap(TestDatabase, ({ ownerUrl }) =>
          run(["migrate", "up"], { DATABASE_URL: Redacted.value(ownerUrl) })
        )
      )
      assert.match(again.stdout, /^grant usage on schema "todo" to "todo_runtime"\ngrant select on /)
      assert.strictEqual(
        again.stderr,
        `Granting to role "todo_runtime"\nNothing to migrate: version ${Migrations.version}. The grants above were repeated\n`
      )
      assert.deepStrictEqual(quiet, { ...again, stderr: "" })
      assert.deepStrictEqual(document, {
        version: Migrations.version,
        applied: [],
        functions: [],
        grants: again.stdout.trim().split("\n")
      })
      assert.deepStrictEqual(alone, { code: 0, stdout: "", stderr: `Nothing to do: version ${Migrations.version}\n` })
    }).pipe(onEmpty)
  )

  it.live("`migrate up` does not touch a schema that belongs to another program", () =>
    Effect.gen(function* () {
      const { ownerUrl } = yield* TestDatabase
      yield* sql(ownerUrl, "create schema todo create table invoices ()")
      assertFailed(
        yield* admin("migrate", "up", "--quiet"),
        1,
        /creating the schema failed, nothing was changed: schema "todo" is in use by something else \(table todo\.invoices\); set TODO_SCHEMA/
      )
      assert.deepStrictEqual(yield* sql(ownerUrl, tables), [{ relname: "invoices" }])
    }).pipe(onEmpty)
  )

  it.live("todo-admin names both versions and the next step if the schema has another version", () =>
    Effect.gen(function* () {
      const { ownerUrl } = yield* TestDatabase
      const list = admin("todo", "list", "--user", "a")
      assertFailed(yield* list, 1, /at version 0, this program needs version \d+: run "todo-admin migrate up"/)
      yield* admin("migrate", "up")
      yield* sql(ownerUrl, "insert into todo.migrations (id, name) values (99, 'next')")
      const newer = /at version 99, this program needs version \d+: install a newer release/
      assertFailed(yield* list, 1, newer)
      assertFailed(yield* admin("migrate", "up"), 1, newer)
    }).pipe(onEmpty)
  )

  it.live("`migrate up` creates one schema when three run at once, and grants the role of servers", () =>
    Effect.gen(function* () {
      const before = yield* json<ReadonlyArray<{ appliedAt: string | null }>>("migrate", "status")
      assert.isTrue(before.every(({ appliedAt }) => appliedAt === null))

      const runs = yield* atMostThree(admin("migrate", "up"), admin("migrate", "up"), admin("migrate", "up"))
      assert.deepStrictEqual(
        runs.map(({ code }) => code),
        [0, 0, 0]
      )
      // Exactly one of the runs has migrated.
      const applied = yield* json<ReadonlyArray<{ id: number; name: string }>>("migrate", "status")
      assert.strictEqual(
        runs.map(({ stdout }) => stdout.replaceAll(/^grant .*\n/gm, "")).join(""),
        applied.map(({ id, name }) => `${id} ${name}\n`).join("")
      )
      assert.strictEqual(runs.filter(({ stderr }) => /^Migrated to version \d+$/m.test(stderr)).length, 1)

      const [after, status, used] = yield* atMostThree(
        json<ReadonlyArray<{ appliedAt: string | null }>>("migrate", "status"),
        admin("migrate", "status"),
        admin("todo", "add", "x", "--user", "a")
      )
      assert.isTrue(after.every(({ appliedAt }) => appliedAt !== null))
      assert.match(status.stdout, /^VERSION +NAME +APPLIED\n5 +baseline +\d{4}-/)
      assert.strictEqual(used.code, 0)
    }).pipe(onEmpty)
  )

  it.live("`migrate up` changes nothing if a step fails", () =>
    Effect.gen(function* () {
      const { adminUrl, ownerUrl } = yield* TestDatabase
      const refuse = "create function refuse() returns event_trigger language plpgsql as"
      yield* sql(adminUrl, `${refuse} $$ begin raise exception 'no functions here'; end $$`)
      yield* sql(
        adminUrl,
        "create event trigger refuse on ddl_command_end when tag in ('CREATE FUNCTION') execute function refuse()"
      )
      const failed = yield* admin("migrate", "up", "--quiet")
      assertFailed(failed, 1, /migration 5 \(baseline\) failed, nothing was changed: no functions here/)
      assert.deepStrictEqual(yield* sql(ownerUrl, tables), [])

      yield* sql(adminUrl, "drop event trigger refuse")
      assert.strictEqual((yield* admin("migrate", "up")).code, 0)
    }).pipe(onEmpty)
  )

  it.live("`migrate up` exits with 130 on Ctrl-C, and changes nothing", () =>
    Effect.gen(function* () {
      const { ownerUrl, url } = yield* TestDatabase
      const lock = "select pg_advisory_xact_lock(hashtextextended('todo:migrate:todo', 0))"
      const waiting = `select from pg_locks where locktype = 'advisory' and not granted
        and database = (select oid from pg_database where datname = current_database())`
      // As long as this transaction is open, the migration waits.
      const { code, stdout } = yield* holding(
        lock,
        Effect.gen(function* () {
          const blocked = start(["migrate", "up"], {
            DATABASE_URL: Redacted.value(url),
            TODO_MIGRATE_URL: Redacted.value(ownerUrl)
          })
          yield* sql(ownerUrl, waiting).pipe(
            Effect.repeat({ until: (rows) => rows.length > 0 }),
            Effect.timeout("90 seconds")
          )
          blocked.child.kill("SIGINT")
          return yield* Effect.promise(() => blocked.ended)
        })
      )
      assert.deepStrictEqual({ code, stdout }, { code: 130, stdout: "" })
      assert.deepStrictEqual(yield* sql(ownerUrl, tables), [])
    }).pipe(onEmpty)
  )
})
