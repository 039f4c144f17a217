import { assert, describe, it } from "@effect/vitest"
import { TestDatabase } from "@todo/core/testing"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { admin, json, run, sql } from "./program.ts"

const onItsOwn = Effect.provide(TestDatabase.layer)

describe.concurrent("todo-admin doctor", () => {
  it.live("passes a database as it should be", () =>
    Effect.gen(function* () {
      const findings = yield* json<ReadonlyArray<{ check: string; status: string; detail: string }>>("doctor")
      assert.deepStrictEqual(
        findings.map(({ check, status }) => `${check} ${status}`),
        [
          "settings",
          "connection",
          "server version",
          "encoding",
          "schema version",
          "runtime role",
          "row-level security",
          "isolation"
        ].map((check) => `${check} passed`)
      )
    }).pipe(onItsOwn)
  )

  const faults: ReadonlyArray<readonly [name: string, statement: string, line: RegExp]> = [
    [
      "row-level security off",
      "alter table todo.todos disable row level security",
      /row-level security: is off on todos\n +mend: alter/
    ],
    [
      "not forced",
      "alter table todo.users no force row level security",
      /row-level security: is not forced on users\n +mend: alter/
    ],
    ["a policy dropped", "drop policy own_rows on todo.lists", /row-level security: has no policy on lists.*\n +mend: /]
  ]
  for (const [name, statement, line] of faults) {
    it.live(`finds ${name} and ends with 6`, () =>
      Effect.gen(function* () {
        const { ownerUrl } = yield* TestDatabase
        yield* sql(ownerUrl, statement)
        const { code, stderr, stdout } = yield* admin("doctor")
        assert.match(stdout, line)
        assert.strictEqual(code, 6)
        assert.match(stderr, /^todo-admin: \d problems? found\n$/)
      }).pipe(onItsOwn)
    )
  }

  it.live("finds a server that runs as the owner of the tables, and one that runs as superuser", () =>
    Effect.gen(function* () {
      const { adminUrl, ownerUrl } = yield* TestDatabase
      const [owner, superuser] = yield* Effect.all(
        [
          run(["doctor"], { DATABASE_URL: Redacted.value(ownerUrl), TODO_MIGRATE_URL: Redacted.value(adminUrl) }),
          run(["doctor"], { DATABASE_URL: Redacted.value(adminUrl), TODO_MIGRATE_URL: Redacted.value(ownerUrl) })
        ],
        { concurrency: 2 }
      )
      assert.match(owner.stdout, /failed +runtime role: "todo_owner" owns .*\blists\b.*\n +mend: /)
      assert.strictEqual(owner.code, 6)
      assert.match(superuser.stdout, /failed +runtime role: "postgres" is a superuser.*\n +mend: /)
      assert.strictEqual(superuser.code, 6)
    }).pipe(onItsOwn)
  )

  it.live("warns where one role serves and migrates, and ends with 0", () =>
    Effect.gen(function* () {
      const { ownerUrl } = yield* TestDatabase
      const { code, stderr, stdout } = yield* run(["doctor"], {
        DATABASE_URL: Redacted.value(ownerUrl),
        TODO_DATABSE_POOL: "3"
      })
      assert.match(stdout, /warning +runtime role: "todo_owner" owns the tables.*held by FORCE only\n +mend: /)
      assert.match(stdout, /warning +settings: TODO_DATABSE_POOL is set, but there is no such setting\n +mend: /)
      assert.deepStrictEqual({ code, stderr }, { code: 0, stderr: "" })
    }).pipe(onItsOwn)
  )
})
