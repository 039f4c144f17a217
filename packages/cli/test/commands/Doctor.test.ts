import { assert, describe, it } from "@effect/vitest"
import { TestDatabase } from "@todo/core/testing"
import { Effect, Redacted } from "effect"
import { pgbouncer, startPgBouncer } from "../../../../.config/pgbouncer.ts"
import { run, sql, atMostThree } from "../support/program.ts"

const onItsOwn = Effect.provide(TestDatabase.layer)

/** The settings that a server needs in addition to its database. */
const server = {
  TODO_JWT_SECRET: "correct horse battery staple, and so on",
  TODO_JWT_ISSUER: "https://issuer.example",
  TODO_JWT_AUDIENCE: "todo"
}

interface Finding {
  readonly check: string
  readonly status: string
  readonly detail: string
  readonly hint?: string
  readonly statements?: ReadonlyArray<string>
}

/** The output of `doctor`, and its exit code. */
const doctor = Effect.fnUntraced(function* (environment: Readonly<Record<string, string>> = {}) {
  const { ownerUrl, url } = yield* TestDatabase
  const { code, stderr, stdout } = yield* run(["doctor", "--json"], {
    ...server,
    DATABASE_URL: Redacted.value(url),
    TODO_MIGRATE_URL: Redacted.value(ownerUrl),
    ...environment
  })
  const findings: ReadonlyArray<Finding> = JSON.parse(stdout)
  // The test servers run with `fsync=off`, which `doctor` reports.
  const told = findings.filter(({ check }) => check !== "durability")
  return { code, stderr, findings: told, wrong: told.filter(({ status }) => status !== "passed") }
})

const checks = [
  "settings",
  "connection",
  "server version",
  "encoding",
  "writes",
  "clocks",
  "pooler",
  "schema version",
  "runtime role",
  "rights",
  "other paths",
  "role settings",
  "row-level security",
  "schema",
  "isolation"
]

describe.concurrent("todo-admin doctor", () => {
  it.live("`doctor` passes a correct database every time", () =>
    Effect.gen(function* () {
      for (const { code, findings, stderr } of [yield* doctor(), yield* doctor()]) {
        assert.deepStrictEqual(
          findings.map(({ check, status }) => `${check} ${status}`),
          checks.map((check) => `${check} passed`)
        )
        assert.deepStrictEqual({ code, stderr }, { code: 0, stderr: "" })
      }
    }).pipe(onItsOwn)
  )

  // The test of the core has all faults.
  it.live("`doctor` prints a hint for a fault, and exits with 6", () =>
    Effect.gen(function* () {
      const { ownerUrl } = yield* TestDatabase
      yield* sql(ownerUrl, "alter table todo.todos disable row level security")
      const { code, stderr, wrong } = yield* doctor()
      const finding = wrong.find(({ check }) => check === "row-level security")
      assert.deepInclude(finding, { status: "failed" }, JSON.stringify(wrong))
      assert.match(finding?.detail ?? "", /^is off on todos/)
      assert.isNotEmpty(finding?.hint)
      assert.strictEqual(code, 6)
      assert.match(stderr, /^todo-admin: \d problems? found\n$/)
    }).pipe(onItsOwn)
  )

  it.live(
    "`doctor` finds a server that runs as the owner of the tables, one that runs as superuser, and a clock that is off",
    () =>
      Effect.gen(function* () {
        const { adminUrl, ownerUrl } = yield* TestDatabase
        const [owner, superuser, late] = yield* atMostThree(
          doctor({ DATABASE_URL: Redacted.value(ownerUrl), TODO_MIGRATE_URL: Redacted.value(adminUrl) }),
          doctor({ DATABASE_URL: Redacted.value(adminUrl), TODO_MIGRATE_URL: Redacted.value(ownerUrl) }),
          doctor({ NODE_OPTIONS: "--import=data:text/javascript,const{now}=Date;Date.now=()=>now()-9000" })
        )
        assert.match(owner.wrong[0]?.detail ?? "", /^"todo_owner" owns .*\blists\b/)
        assert.match(superuser.wrong[0]?.detail ?? "", /^"postgres" is a superuser/)
        assert.match(late.wrong[0]?.detail ?? "", /^the database is (8|9)\.\d seconds ahead of this machine/)
        for (const { code, wrong } of [owner, superuser, late]) {
          assert.strictEqual(code, 6)
          assert.isNotEmpty(wrong[0]?.hint)
        }
      }).pipe(onItsOwn)
  )

  it.live("`doctor` prints the statements that repair a missing protection, ready to run", () =>
    Effect.gen(function* () {
      const { adminUrl, ownerUrl, url } = yield* TestDatabase
      yield* sql(adminUrl, "create view public.board as select * from todo.todos")
      yield* sql(adminUrl, "grant select on public.board to todo_runtime")
      yield* sql(ownerUrl, "grant select on todo.todos to public")
      const environment = {
        ...server,
        DATABASE_URL: Redacted.value(url),
        TODO_MIGRATE_URL: Redacted.value(ownerUrl)
      }
      const { code, stdout } = yield* run(["doctor"], environment)
      assert.strictEqual(code, 6)
      assert.match(stdout, /^failed +other paths: view public.board leads to todos as "postgres"/m)
      const statements = [...stdout.matchAll(/^ {11}(\S.*);$/gm)].map(([, statement]) => statement ?? "")
      assert.deepStrictEqual(statements, [
        "revoke select on todo.todos from public",
        "revoke select on public.board from todo_runtime"
      ])
      for (const statement of statements) yield* sql(adminUrl, statement)
      assert.deepStrictEqual((yield* doctor()).wrong, [])
    }).pipe(onItsOwn)
  )

  it.live("`doctor` warns if one role serves and migrates, and exits with 0", () =>
    Effect.gen(function* () {
      const { ownerUrl } = yield* TestDatabase
      const { code, stderr, stdout } = yield* run(["doctor"], {
        DATABASE_URL: Redacted.value(ownerUrl),
        TODO_DATABSE_POOL: "3"
      })
      assert.match(
        stdout,
        /warning +runtime role: "todo_owner" owns the tables.*only FORCE applies row-level security to it\n +hint: /
      )
      assert.match(stdout, /warning +settings: TODO_DATABSE_POOL is set, but there is no such setting\n +hint: /)
      assert.match(stdout, /warning +settings: a server would not start: TODO_JWT_SECRET is not set: .*\n +hint: /)
      assert.deepStrictEqual({ code, stderr }, { code: 0, stderr: "" })
    }).pipe(onItsOwn)
  )

  it.live(
    "`doctor` knows a pooler that forgets prepared statements, one that refuses time limits, and what suits both",
    (test) =>
      Effect.gen(function* () {
        if (pgbouncer === undefined) return test.skip("there is no pgbouncer on this machine")
        const { url } = yield* TestDatabase
        const through = (mode: "session" | "transaction", ignored: ReadonlyArray<string>) =>
          Effect.acquireRelease(
            Effect.promise(() => startPgBouncer(Redacted.value(url), { mode, ignored, poolSize: 5 })),
            ({ stop }) => Effect.promise(stop)
          ).pipe(Effect.map(({ url }) => url))
        const timeLimits = ["statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"]
        const [tolerant, strict, sessions] = yield* Effect.all([
          through("transaction", timeLimits),
          through("transaction", []),
          through("session", timeLimits)
        ])
        const [forgets, refuses, suits, session] = yield* atMostThree(
          doctor({ DATABASE_URL: tolerant }),
          doctor({ DATABASE_URL: strict }),
          doctor({ DATABASE_URL: strict, TODO_DATABASE_PREPARE: "false" }),
          doctor({ DATABASE_URL: sessions })
        )
        assert.match(forgets.wrong[0]?.detail ?? "", /^a pooler in transaction mode loses prepared statements$/)
        assert.match(refuses.wrong[0]?.detail ?? "", /^cannot connect to .*unsupported startup parameter/)
        for (const { code, wrong } of [forgets, refuses]) {
          assert.strictEqual(code, 6)
          assert.strictEqual(wrong.length, 1)
          assert.match(wrong[0]?.hint ?? "", /^set TODO_DATABASE_PREPARE=false/)
        }
        assert.deepStrictEqual([suits.wrong, session.wrong], [[], []])
      }).pipe(Effect.scoped, onItsOwn)
  )
})
