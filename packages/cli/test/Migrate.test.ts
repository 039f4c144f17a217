import { assert, describe, it } from "@effect/vitest"
import { Database, Migrations } from "@todo/core"
import { TestDatabase } from "@todo/core/testing"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as SqlClient from "effect/sql/SqlClient"
import { admin, assertFailed, json, run, sql, start, together } from "./program.ts"

const tables = "select relname from pg_class where relnamespace = to_regnamespace('todo') and relkind = 'r' order by 1"

/** Runs `self` while a transaction holds what `statement` has locked. */
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
  it.live("prints the plan without a database", () =>
    Effect.gen(function* () {
      const [text, document, rest] = yield* together(
        run(["migrate", "plan"], { TODO_SCHEMA: "chores" }),
        run(["migrate", "plan", "--json"]),
        run(["migrate", "plan", "--from", `${Migrations.version}`])
      )
      assert.deepStrictEqual({ code: text.code, stderr: text.stderr }, { code: 0, stderr: "" })
      assert.match(text.stdout, /^begin;\n\n-- Creating the schema\n/)
      assert.match(text.stdout, /\n\n-- Migration 1 \(todos\)\n\ncreate table "chores"\.users \(/)
      assert.match(text.stdout, /\n\ncommit;\n$/)
      assert.notMatch(text.stdout, /"todo"/)
      const steps: ReadonlyArray<{ name: string; statements: ReadonlyArray<string> }> = JSON.parse(document.stdout)
      assert.strictEqual(steps.length, 1 + Migrations.version)
      assert.match(steps[1]?.statements[0] ?? "", /^create table "todo"\.users/)
      assert.deepStrictEqual(rest, {
        code: 0,
        stdout: "",
        stderr: `Nothing to do from version ${Migrations.version} on\n`
      })
    })
  )

  it.live("makes one schema, also when three do it at once, and lets the server's role in", () =>
    Effect.gen(function* () {
      const before = yield* json<ReadonlyArray<{ appliedAt: string | null }>>("migrate", "status")
      assert.isTrue(before.every(({ appliedAt }) => appliedAt === null))

      const runs = yield* together(admin("migrate", "up"), admin("migrate", "up"), admin("migrate", "up"))
      assert.deepStrictEqual(
        runs.map(({ code }) => code),
        [0, 0, 0]
      )
      // One of them did it, whichever it was.
      const applied = yield* json<ReadonlyArray<{ id: number; name: string }>>("migrate", "status")
      assert.strictEqual(
        runs.map(({ stdout }) => stdout).join(""),
        applied.map(({ id, name }) => `${id} ${name}\n`).join("")
      )
      assert.strictEqual(runs.filter(({ stderr }) => stderr.startsWith("Migrated to version")).length, 1)

      const [after, status, used] = yield* together(
        json<ReadonlyArray<{ appliedAt: string | null }>>("migrate", "status"),
        admin("migrate", "status"),
        admin("todo", "add", "x", "--user", "a")
      )
      assert.isTrue(after.every(({ appliedAt }) => appliedAt !== null))
      assert.match(status.stdout, /^VERSION +NAME +APPLIED\n1 +todos +\d{4}-/)
      assert.strictEqual(used.code, 0)
    }).pipe(onEmpty)
  )

  it.live("leaves nothing behind where a step fails", () =>
    Effect.gen(function* () {
      const { ownerUrl } = yield* TestDatabase
      yield* sql(ownerUrl, "create schema todo create table todos ()")
      const failed = yield* admin("migrate", "up")
      assertFailed(failed, 1, /migration 1 \(todos\) failed, nothing was changed: relation "todos" already exists/i)
      assert.deepStrictEqual(yield* sql(ownerUrl, tables), [{ relname: "todos" }])

      yield* sql(ownerUrl, "drop table todo.todos")
      assert.strictEqual((yield* admin("migrate", "up")).code, 0)
    }).pipe(onEmpty)
  )

  it.live("ends with 130 on Ctrl-C, and changes nothing", () =>
    Effect.gen(function* () {
      const { ownerUrl, url } = yield* TestDatabase
      const lock = "select pg_advisory_xact_lock(hashtextextended('todo:migrate:todo', 0))"
      const waiting = "select from pg_locks where locktype = 'advisory' and not granted"
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
            Effect.timeout("20 seconds")
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
