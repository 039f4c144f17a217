import { randomUUID } from "node:crypto"
import { assert, describe, it } from "@effect/vitest"
import { Database, Migrations } from "@todo/core"
import { Doctor, type Finding } from "@todo/core/admin"
import { TestDatabase } from "@todo/core/testing"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as SqlClient from "effect/sql/SqlClient"

const run = (url: Redacted.Redacted, ...statements: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    return yield* Effect.forEach(statements, (statement) => sql.unsafe(statement).unprepared)
  }).pipe(Effect.provide(Database.layer({ url, poolSize: 1 })))

/** What the doctor says of the test database, for a server that connects as `url` says. */
const examine = (url: Redacted.Redacted, environment: Record<string, string> = {}) =>
  Effect.flatMap(TestDatabase, ({ ownerUrl }) =>
    Effect.provide(
      Doctor.examine(),
      ConfigProvider.layer(
        ConfigProvider.fromEnv({
          env: { DATABASE_URL: Redacted.value(url), TODO_MIGRATE_URL: Redacted.value(ownerUrl), ...environment }
        })
      )
    )
  )

const told = (findings: ReadonlyArray<Finding>) =>
  findings.filter(({ status }) => status !== "passed").map(({ check, detail }) => `${check}: ${detail}`)

/** A test on a database that it may spoil. */
const spoiling = Effect.provide(TestDatabase.layer)

describe("Doctor", () => {
  it.live("finds nothing wrong with a database as it should be, and leaves nothing in it", () =>
    Effect.gen(function* () {
      const { adminUrl, url } = yield* TestDatabase
      const findings = yield* examine(url)
      assert.deepStrictEqual(told(findings), [])
      assert.deepStrictEqual(
        findings.map(({ check }) => check),
        [
          "settings",
          "connection",
          "server version",
          "encoding",
          "schema version",
          "runtime role",
          "row-level security",
          "isolation"
        ]
      )
      const [users, todos] = yield* run(adminUrl, "select from todo.users", "select from todo.todos")
      assert.deepStrictEqual([users?.length, todos?.length], [0, 0])
    }).pipe(spoiling)
  )

  const faults: ReadonlyArray<readonly [fault: string, statement: string, found: ReadonlyArray<string>]> = [
    [
      "row-level security is off",
      "alter table todo.todos disable row level security",
      [
        "row-level security: is off on todos",
        "isolation: a statement that forgets the owner reaches another user's todo",
        "isolation: a statement without a user reaches the todo"
      ]
    ],
    [
      "it is not forced",
      "alter table todo.lists no force row level security",
      ["row-level security: is not forced on lists"]
    ],
    [
      "a policy is gone",
      "drop policy own_rows on todo.lists",
      ["row-level security: has no policy on lists: nobody sees a row"]
    ],
    [
      "a policy lets everybody in",
      "create policy everybody on todo.todos for select using (true)",
      [
        'row-level security: is opened on todos by policy "everybody"',
        "isolation: a statement that forgets the owner reaches another user's todo",
        "isolation: a statement without a user reaches the todo"
      ]
    ],
    [
      "a policy lets everybody write",
      "create policy everybody on todo.users for insert with check (true)",
      ['row-level security: is opened on users by policy "everybody"']
    ],
    [
      "a table of a later release has none",
      "create table todo.later (owner_id text primary key)",
      [
        "row-level security: is off on later",
        "row-level security: is not forced on later",
        "row-level security: has no policy on later: nobody sees a row"
      ]
    ],
    [
      "the server's role may create tables",
      "grant create on schema todo to todo_runtime",
      ['runtime role: "todo_runtime" may create tables and functions in schema "todo"']
    ],
    [
      "a migration is missing",
      `delete from todo.migrations where id = ${Migrations.version}`,
      [
        `schema version: "todo" is at version ${Migrations.version - 1}, this release needs version ${Migrations.version}`,
        "isolation: not probed, since the schema is not the one it needs"
      ]
    ],
    [
      "the database is ahead",
      `insert into todo.migrations (id, name) values (${Migrations.version + 1}, 'next')`,
      [
        `schema version: "todo" is at version ${Migrations.version + 1}, this release needs version ${Migrations.version}`,
        "isolation: not probed, since the schema is not the one it needs"
      ]
    ],
    [
      "the server's role lacks a right",
      "revoke insert on todo.users from todo_runtime",
      ["isolation: the role lacks a right: permission denied for table users"]
    ]
  ]
  for (const [fault, statement, found] of faults) {
    it.live(`sees it when ${fault}`, () =>
      Effect.gen(function* () {
        const { ownerUrl, url } = yield* TestDatabase
        yield* run(ownerUrl, statement)
        const findings = yield* examine(url)
        assert.deepStrictEqual(told(findings), found)
        for (const { mend, status } of findings) assert.strictEqual(mend === undefined, status === "passed")
      }).pipe(spoiling)
    )
  }

  it.live("sees it when the server's role stands above row-level security", () =>
    Effect.gen(function* () {
      const { adminUrl, ownerUrl, url } = yield* TestDatabase
      const name = `doctor_${randomUUID().slice(0, 8)}`
      const as = (role: string) => Redacted.make(Redacted.value(url).replace("todo_runtime", role))
      yield* Effect.acquireUseRelease(
        run(
          adminUrl,
          `create role ${name}_bypass login bypassrls in role todo_runtime`,
          `create role ${name}_member login in role todo_runtime, ${name}_bypass`
        ),
        () =>
          Effect.gen(function* () {
            const [superuser] = told(yield* examine(adminUrl))
            assert.strictEqual(
              superuser,
              'runtime role: "postgres" is a superuser, whom row-level security does not hold'
            )
            const [owner] = told(yield* examine(ownerUrl, { TODO_MIGRATE_URL: Redacted.value(adminUrl) }))
            assert.match(
              owner ?? "",
              /^runtime role: "todo_owner" owns .*\blists\b.*\btodos\b.* and can switch row-level security off$/
            )
            const [bypass] = told(yield* examine(as(`${name}_bypass`)))
            assert.strictEqual(
              bypass,
              `runtime role: "${name}_bypass" has BYPASSRLS: row-level security does not hold it`
            )
            const [member] = told(yield* examine(as(`${name}_member`)))
            assert.strictEqual(
              member,
              `runtime role: "${name}_member" is a member of "${name}_bypass", which row-level security does not hold`
            )
          }),
        () => run(adminUrl, `drop role ${name}_member, ${name}_bypass`)
      )
    }).pipe(spoiling)
  )

  it.live("only warns where one role serves and migrates", () =>
    Effect.gen(function* () {
      const { ownerUrl } = yield* TestDatabase
      const wrong = (yield* examine(ownerUrl)).filter(({ status }) => status !== "passed")
      assert.deepStrictEqual(
        wrong.map(({ check, status }) => [check, status]),
        [["runtime role", "warning"]]
      )
      assert.match(wrong[0]?.detail ?? "", /held by FORCE only/)
    }).pipe(spoiling)
  )

  it.live("names settings that are wrong, unknown or without effect, and no secret", () =>
    Effect.gen(function* () {
      const { url } = yield* TestDatabase
      const wrong = yield* examine(url, {
        TODO_JWT_SECRET: "hunter2",
        TODO_DATABASE_POOL: "many",
        TODO_JWT_SECRT: "hunter2",
        TODO_MIGRATE: ""
      })
      assert.deepStrictEqual(
        told(wrong).map((line) => line.split(" ").slice(0, 2).join(" ")),
        ["settings: TODO_DATABASE_POOL:", "settings: TODO_JWT_SECRET:", "settings: TODO_JWT_SECRT"]
      )
      assert.notMatch(JSON.stringify(wrong), /hunter2/)
    }).pipe(spoiling)
  )

  it.live("says how a connection fails", () =>
    Effect.gen(function* () {
      const { url } = yield* TestDatabase
      const as = (change: (url: URL) => void) => {
        const changed = new URL(Redacted.value(url))
        change(changed)
        return Effect.map(examine(Redacted.make(changed.href)), told)
      }
      const [nobody, nowhere, missing] = yield* Effect.all([
        as((url) => (url.username = "nobody_at_all")),
        as((url) => (url.port = "1")),
        as((url) => (url.pathname = "/missing"))
      ])
      assert.match(nobody.join(), /^connection: cannot connect to .*role "nobody_at_all" does not exist$/)
      assert.match(nowhere.join(), /^connection: cannot connect to 127.0.0.1:1\/.*ECONNREFUSED/)
      assert.match(missing.join(), /^connection: cannot connect to .*database "missing" does not exist$/)
    }).pipe(spoiling)
  )
})
