import { spawn } from "node:child_process"
import { randomUUID } from "node:crypto"
import { once } from "node:events"
import { chmod, mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert } from "@effect/vitest"
import { CurrentUser, Database, type Lists, Services, Todos, UserId } from "@todo/core"
import { TestDatabase } from "@todo/core/testing"
import { Effect, Layer, Redacted } from "effect"
import { SqlClient } from "effect/sql"
import { inject } from "vitest"

/** The bundled program, as it is published. `.config/commandLine.ts` builds it before the tests. */
export const bin = inject("todoAdmin")

/** The compile cache of Node. It saves each process a third of its time, most of it for stripping types. */
const compiled = join(tmpdir(), "todo-admin-compiled")

export interface Run {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

type Environment = Readonly<Record<string, string>>

/** Runs `todo-admin` as a process without a terminal, with only the given environment and input. */
export const start = (args: ReadonlyArray<string>, environment: Environment = {}, input?: string) => {
  const child = spawn(process.execPath, [bin, ...args], {
    env: { PATH: process.env["PATH"], NODE_COMPILE_CACHE: compiled, ...environment },
    stdio: ["pipe", "pipe", "pipe"]
  })
  child.stdin.end(input)
  let [stdout, stderr] = ["", ""]
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text))
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text))
  /** Waits until stdout has this number of lines. */
  const lines = async (count: number) => {
    while (stdout.split("\n").length <= count) await once(child.stdout, "data")
    return stdout.split("\n").slice(0, count)
  }
  const ended = new Promise<Run>((done, reject) => {
    child.once("error", reject).once("close", (code) => done({ code, stdout, stderr }))
  })
  return { child, ended, lines }
}

export const run = (args: ReadonlyArray<string>, environment?: Environment) =>
  Effect.promise(() => start(args, environment).ended)

/** The settings of the test database: one URL for servers, one for migrations. */
export const environment = Effect.map(TestDatabase, ({ ownerUrl, url }) => ({
  DATABASE_URL: Redacted.value(url),
  TODO_MIGRATE_URL: Redacted.value(ownerUrl)
}))

/** Runs `todo-admin` on the test database. */
export const admin = (...args: ReadonlyArray<string>) =>
  Effect.flatMap(environment, (environment) => run(args, environment))

/** The JSON document that a successful run printed to stdout. */
export const json = <A>(...args: ReadonlyArray<string>) =>
  Effect.map(admin(...args, "--json"), ({ code, stderr, stdout }): A => {
    assert.deepStrictEqual({ code, stderr }, { code: 0, stderr: "" })
    return JSON.parse(stdout)
  })

/** Asserts that a run failed with this exit code, nothing on stdout, and this one line on stderr. */
export const assertFailed = (run: Run, code: number, line: RegExp) => {
  assert.match(run.stderr, line)
  assert.match(run.stderr, /^todo-admin: [^\n]+\n$/)
  assert.deepStrictEqual({ code: run.code, stdout: run.stdout }, { code, stdout: "" })
}

/** Runs SQL outside of the program, to prepare or check the database. */
export const sql = (url: Redacted.Redacted, statement: string) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) => sql.unsafe(statement).unprepared).pipe(
    Effect.provide(Database.layer({ url, poolSize: 1, unlimited: true }))
  )

/** Calls the services of the core on behalf of a user, to prepare data. */
export const asUser = <A, E>(id: string, use: Effect.Effect<A, E, CurrentUser | Todos | Lists>) =>
  Effect.flatMap(TestDatabase, ({ url }) =>
    use.pipe(
      Effect.provideService(CurrentUser, { id: UserId.make(id) }),
      Effect.provide(Services.layer.pipe(Layer.provide(Database.layer({ url, poolSize: 1 }))))
    )
  )

/** Creates todos with these titles. */
export const add = (user: string, ...titles: ReadonlyArray<string>) =>
  asUser(
    user,
    Effect.flatMap(Todos, ({ create }) => Effect.forEach(titles, (title) => create({ title })))
  )

/** A directory that is removed when the scope ends. The user of the embedded database can read it too. */
export const temporaryDirectory = (parent = tmpdir()) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const directory = await mkdtemp(join(parent, "todo-admin-"))
      await chmod(directory, 0o755)
      return directory
    }),
    (directory) => Effect.promise(() => rm(directory, { recursive: true }))
  )

export const newUser = () => `user-${randomUUID()}`

/** Runs effects, at most three at once: each starts a process. */
export const atMostThree = <const Runs extends ReadonlyArray<Effect.Effect<unknown, unknown, unknown>>>(
  ...runs: Runs
) => Effect.all(runs, { concurrency: 3 })
