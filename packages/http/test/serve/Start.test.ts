/* oxlint-disable vitest/expect-expect -- expectRefusal asserts */
import { chmod, mkdir, readFile, stat, writeFile } from "node:fs/promises"
import { randomUUID } from "node:crypto"
import { once } from "node:events"
import { connect, createServer } from "node:net"
import { join } from "node:path"
import { Database, Migrations } from "@todo/core"
import { TestDatabase } from "@todo/core/testing"
import { Effect, Redacted } from "effect"
import { SqlClient } from "effect/sql"
import { describe, expect, it, onTestFinished } from "vitest"
import { portOf, run, settings, start, temporaryDirectory, useDatabase } from "../support/program.ts"
import { claims, request, sign } from "../support/testServer.ts"

/** Expects that the server does not start and prints only one line with the reason. */
const expectRefusal = async (environment: Record<string, string>, line: RegExp): Promise<void> => {
  const { stderr, ...rest } = await run(environment)
  expect(rest).toEqual({ ended: 1, stdout: "" })
  expect(stderr).toMatch(/^todo: [^\n]+\n$/)
  expect(stderr).toMatch(line)
  expect(stderr).not.toMatch(/canary|\n\s+at .+:\d+|node_modules|Error:|undefined|\[object/)
}

const database = { DATABASE_URL: "postgres://user:canary@127.0.0.1:1/todo" }

describe.concurrent("The server does not start, and says why in one line,", () => {
  it.each<[string, Record<string, string>]>([
    ["DATABASE_URL", { NODE_ENV: "production" }],
    ["DATABASE_URL", { HOST: "0.0.0.0" }],
    ["TODO_JWT_SECRET", { ...database }],
    ["TODO_JWT_SECRET", { ...database, NODE_ENV: "production", TODO_JWT_SECRET: "" }],
    ["TODO_JWT_ISSUER", { ...database, TODO_JWT_SECRET: "canary".repeat(6) }],
    ["TODO_JWT_AUDIENCE", { ...database, TODO_JWT_SECRET: "canary".repeat(6), TODO_JWT_ISSUER: "x" }]
  ])("the server does not start without %s, with %o", async (name, environment) => {
    await expectRefusal(environment, new RegExp(`^todo: ${name} is not set: `))
  })

  const wrong: ReadonlyArray<readonly [name: string, value: string]> = [
    ["PORT", "canary"],
    ["PORT", "65536"],
    ["PORT", "-1"],
    ["PORT", "80.5"],
    ["HOST", "canary host"],
    ["HOST", "127.0.0.1:3000"],
    ["HOST", "localhost:3000"],
    ["HOST", "http://127.0.0.1"],
    ["HOST", "[::1]:3000"],
    ["HOST", "[::1"],
    ["HOST", "[127.0.0.1]"],
    ["HOST", "::1::"],
    ["TODO_METRICS_PORT", "0"],
    ["DATABASE_URL", "mysql://user:canary@127.0.0.1/todo"],
    ["DATABASE_URL", "postgres://user:100%canary@127.0.0.1/todo"],
    ["DATABASE_URL", "postgres://user:canary@127.0.0.1/todo?sslmode=canary"],
    ["DATABASE_URL", "postgres://user:canary@127.0.0.1/todo?colour=canary"],
    ["TODO_MIGRATE_URL", "postgres://user:canary@127.0.0.1/todo?target_session_attrs=read-write"],
    ["DATABASE_URL", "postgres://user:canary@127.0.0.1"],
    ["TODO_MIGRATE_URL", "http://user:canary@127.0.0.1/todo"],
    ["TODO_JWT_SECRET", "canary".repeat(5)],
    ["TODO_JWT_SECRET_PREVIOUS", "canary"],
    ["TODO_JWT_MAX_AGE", "canary"],
    ["TODO_SCHEMA", "canary x"],
    ["TODO_SCHEMA", "pg_canary"],
    ["TODO_SCHEMA", 'canary"; drop schema public; --'],
    ["TODO_MIGRATE", "canary"],
    ["TODO_BODY_LIMIT", "canary"],
    ["TODO_BODY_LIMIT", "0"],
    ["TODO_BODY_LIMIT", "2 GiB"],
    ["TODO_REQUEST_TIMEOUT", "10"],
    ["TODO_REQUEST_TIMEOUT", "0s"],
    ["TODO_RATE_LIMIT", "600/day"],
    ["TODO_REQUEST_TIMEOUT", "-1 second"],
    ["TODO_DRAIN_TIMEOUT", "9999 days"],
    ["TODO_DATABASE_POOL", "0"],
    ["TODO_DATABASE_PREPARE", "canary"],
    ["TODO_ALLOW_UNSAFE_ROLE", "canary"],
    ["TODO_LOG_LEVEL", "canary"],
    ["TODO_LOG_FORMAT", "canary"],
    ["TODO_PUBLIC_URL", "canary"],
    ["TODO_PUBLIC_URL", "https://canary@example.com"]
  ]
  // In `npm test` one value of each, because each starts a process.
  const tried = process.env["TODO_TEST_ROUNDS"] === "many" ? wrong : [...new Map(wrong)]
  it.each(tried)("the server does not start with %s=%s", async (name, value) => {
    await expectRefusal({ ...settings, ...database, [name]: value }, new RegExp(`^todo: ${name}\\b.*[a-z]{4}`))
  })

  it.each([
    ["PGSSLMODE", "canary"],
    ["PGSSLROOTCERT", "/nowhere/ca.pem"]
  ])("the server does not start with the variable %s=%s beside a URL", async (name, value) => {
    const environment = { ...settings, ...database, PGSSLMODE: "verify-full", PGSSLROOTCERT: "system", [name]: value }
    await expectRefusal(environment, new RegExp(`^todo: DATABASE_URL: ${name}: .*[a-z]{4}`))
  })
})

describe("The server does not start, and says why in one line,", () => {
  const urls = useDatabase()
  const empty = useDatabase(TestDatabase.layerEmpty)

  it("the server does not start if the port is in use", async () => {
    const other = createServer().listen(0, "127.0.0.1")
    onTestFinished(() => void other.close())
    await once(other, "listening")
    const port = String(portOf(other))
    const environment = { ...settings, DATABASE_URL: urls.DATABASE_URL }
    await expectRefusal({ ...environment, PORT: port }, new RegExp(`^todo: PORT: ${port} is taken on 127.0.0.1; `))
    await expectRefusal(
      { ...environment, TODO_METRICS_PORT: port },
      new RegExp(`^todo: TODO_METRICS_PORT: ${port} is taken on 127.0.0.1; `)
    )
    await expectRefusal({ ...environment, PORT: port, TODO_METRICS_PORT: port }, /^todo: TODO_METRICS_PORT: .* PORT /)
    await expectRefusal({ ...environment, PORT: "", TODO_METRICS_PORT: "3000" }, /^todo: TODO_METRICS_PORT: 3000 /)
  })

  it("the server does not start if this user may not listen on the port", async ({ skip }) => {
    const floor = Number(await readFile("/proc/sys/net/ipv4/ip_unprivileged_port_start", "utf8").catch(() => "0"))
    if (floor < 2 || process.getuid?.() === 0) skip("every user may listen on every port here")
    await expectRefusal({ ...settings, DATABASE_URL: urls.DATABASE_URL, PORT: "1" }, /^todo: PORT: .* listen on 1; /)
  })

  it.each(["192.0.2.1", "not-a-host.invalid", "2001:db8::1"])(
    "the server does not start on a host that is not an address of this machine: %s",
    async (HOST) => {
      const line = new RegExp(`^todo: HOST: ${HOST} is no address of this machine \\(E\\w+\\); set `)
      await expectRefusal({ ...settings, DATABASE_URL: urls.DATABASE_URL, HOST }, line)
    }
  )

  it.each<[string, Record<string, string>, RegExp]>([
    ["has other files", { other: "x" }, /the directory has other files \(other\); set TODO_DATA_DIR to a new or empty/],
    [
      "has other files beside a secret",
      { other: "x", "jwt-secret": "canary".repeat(8) },
      /the directory has other files/
    ],
    ["holds a secret that is too short", { "jwt-secret": "canary" }, /jwt-secret has less than 32 characters; delete/]
  ])("the server does not start, and changes nothing, if the data directory %s", async (_, files, line) => {
    const directory = join(await temporaryDirectory(), "d")
    await mkdir(directory)
    await chmod(directory, 0o1777)
    for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text)
    const before = await stat(directory)
    await expectRefusal({ PORT: "0", TODO_DATA_DIR: directory }, line)
    const { ctimeMs, mode, uid } = await stat(directory)
    expect({ ctimeMs, mode, uid }).toEqual({ ctimeMs: before.ctimeMs, mode: before.mode, uid: before.uid })
    for (const [name, text] of Object.entries(files)) expect(await readFile(join(directory, name), "utf8")).toBe(text)
  })

  it("the server says why it could not reach a database that it must migrate", async () => {
    const DATABASE_URL = "postgres://user:canary@127.0.0.1:1/todo"
    await expectRefusal(
      { ...settings, DATABASE_URL, TODO_MIGRATE: "auto" },
      /cannot be reached.*; try again later \(connect ECONNREFUSED .*\)/
    )
  })

  it("the server names both versions and what to run if the schema is missing", async () => {
    await expectRefusal(
      { ...settings, DATABASE_URL: empty.DATABASE_URL },
      new RegExp(`version 0\\b.*version ${Migrations.version}\\b.*"todo-admin migrate up"`)
    )
  })

  it("the server names an encoding of the database that is not UTF-8, and what to do", async () => {
    const name = `latin_${process.pid}`
    const admin = (statement: string) =>
      Effect.runPromise(
        Effect.provide(
          Effect.flatMap(SqlClient.SqlClient, (sql) => sql.unsafe(statement).unprepared),
          Database.layer({ url: empty.admin, poolSize: 1 })
        )
      )
    await admin(`create database ${name} encoding 'LATIN1' locale 'C' template template0 owner todo_owner`)
    onTestFinished(() => admin(`drop database ${name} with (force)`).then(() => undefined))
    const url = new URL(empty.TODO_MIGRATE_URL)
    url.pathname = `/${name}`
    for (const TODO_MIGRATE of ["check", "auto"]) {
      await expectRefusal({ ...settings, DATABASE_URL: url.href, TODO_MIGRATE }, /encoded in LATIN1, .*encoding 'UTF8'/)
    }
  })

  it("the server names both versions and what to do if the schema is newer", async () => {
    const newer = Migrations.version + 1
    const insert = Effect.flatMap(
      SqlClient.SqlClient,
      (sql) => sql`insert into todo.migrations (id, name) values (${newer}, 'from the future')`
    )
    await Effect.runPromise(Effect.provide(insert, Database.layer({ url: urls.admin, poolSize: 1 })))
    const line = new RegExp(`version ${newer}\\b.*version ${Migrations.version}\\b.*newer release`)
    const { DATABASE_URL, TODO_MIGRATE_URL } = urls
    for (const TODO_MIGRATE of ["check", "auto"]) {
      await expectRefusal({ ...settings, DATABASE_URL, TODO_MIGRATE_URL, TODO_MIGRATE }, line)
    }
  })
})

describe("A role that bypasses row-level security", () => {
  const urls = useDatabase()
  const owned = useDatabase()
  const production = { ...settings, NODE_ENV: "production", TODO_LOG_FORMAT: "json" }

  const sql = (url: Redacted.Redacted, ...statements: ReadonlyArray<string>) =>
    Effect.runPromise(
      Effect.flatMap(SqlClient.SqlClient, (sql) =>
        Effect.forEach(statements, (statement) => sql.unsafe(statement).unprepared)
      ).pipe(Effect.provide(Database.layer({ url, poolSize: 1 })))
    )

  it("an unsafe role is a warning in development, and the runtime role is not", async () => {
    for (const [url, isWarned] of [
      [Redacted.value(urls.admin), true],
      [urls.DATABASE_URL, false]
    ] as const) {
      const program = start({ ...settings, DATABASE_URL: url })
      await program.address()
      expect(program.stdout().includes('row-level security does not hold role \\"postgres\\"')).toBe(isWarned)
    }
  })

  it("an unsafe role stops a start in production: a superuser, and one that listens for others", async () => {
    const line =
      /^todo: DATABASE_URL: row-level security does not hold role "postgres", which is a superuser: .*TODO_ALLOW_UNSAFE_ROLE=true/
    const DATABASE_URL = Redacted.value(urls.admin)
    await expectRefusal({ ...production, DATABASE_URL }, line)
    await expectRefusal({ ...settings, HOST: "0.0.0.0", DATABASE_URL }, line)
  })

  it("an unsafe role stops a start in production: a role with BYPASSRLS", async () => {
    const role = `bypass_${randomUUID().slice(0, 8)}`
    await sql(urls.admin, `create role ${role} login bypassrls`, ...Migrations.grants("todo", role))
    onTestFinished(() => sql(urls.admin, `drop owned by ${role}`, `drop role ${role}`).then(() => {}))
    const url = new URL(urls.DATABASE_URL)
    url.username = role
    await expectRefusal(
      { ...production, DATABASE_URL: url.href },
      /does not hold role "bypass_\w+", which has BYPASSRLS/
    )
  })

  it("an unsafe role stops a start in production: the owner of a table that does not force it", async () => {
    const environment = { ...production, DATABASE_URL: owned.TODO_MIGRATE_URL }
    // FORCE ROW LEVEL SECURITY applies policies to the owner.
    await start(environment).address()
    await sql(owned.admin, "alter table todo.lists no force row level security")
    await expectRefusal(environment, /row-level security is missing on tables of schema /)
  })

  it("an unsafe role is a warning in production with TODO_ALLOW_UNSAFE_ROLE=true", async () => {
    const program = start({ ...production, DATABASE_URL: Redacted.value(urls.admin), TODO_ALLOW_UNSAFE_ROLE: "true" })
    await program.address()
    expect(program.stdout()).toMatch(/row-level security does not hold role/)
  })

  it("an unsafe role stops a start in development with TODO_ALLOW_UNSAFE_ROLE=false", async () => {
    const DATABASE_URL = Redacted.value(urls.admin)
    await expectRefusal({ ...settings, DATABASE_URL, TODO_ALLOW_UNSAFE_ROLE: "false" }, /DATABASE_URL: row-level/)
  })

  it("an unsafe role ends a server in production whose database was down when it started", async () => {
    const target = new URL(Redacted.value(urls.admin))
    const port = await closedPort()
    const url = new URL(target)
    url.host = `127.0.0.1:${port}`
    const program = start({ ...production, DATABASE_URL: url.href })
    await program.address()
    const proxy = createServer((client) => {
      const server = connect(Number(target.port), target.hostname)
      client.pipe(server).pipe(client)
      for (const socket of [client, server]) socket.on("error", () => {})
    }).listen(port, "127.0.0.1")
    onTestFinished(() => void proxy.close())
    expect(await program.ended).toBe(1)
    expect(program.stderr()).toMatch(/^todo: DATABASE_URL: row-level security does not hold role "postgres"/)
  })
})

/** The port of a server that no longer listens. */
const closedPort = async () => {
  const server = createServer().listen(0, "127.0.0.1")
  await once(server, "listening")
  const port = portOf(server)
  server.close()
  await once(server, "close")
  return port
}

describe("A start", () => {
  const urls = useDatabase()

  it.each([
    ["::1", "[::1]"],
    ["[::1]", "[::1]"],
    ["0:0:0:0:0:0:0:1", "[::1]"],
    ["LOCALHOST", "(127.0.0.1|\\[::1\\])"],
    ["0.0.0.0", "0.0.0.0"],
    ["::", "[::]"]
  ])("the server listens on %s", async (HOST, shown) => {
    const address = await start({ ...settings, DATABASE_URL: urls.DATABASE_URL, HOST }).address()
    const host = shown.startsWith("(") ? shown : shown.replaceAll(/[[\].]/g, "\\$&")
    expect(address).toMatch(new RegExp(`^http://${host}:\\d+$`))
    const local = address.replace("0.0.0.0", "127.0.0.1").replace("[::]", "[::1]")
    expect((await request(`${local}/livez`, "GET")).status).toBe(200)
  })

  it("the server warns of unknown settings by name, suggests the closest name, and never logs their value", async () => {
    const unknown = {
      TODO_JWT_SECERT: "canary",
      TODO_DATADIR: "canary",
      TODO_X: "canary",
      TODO_: "canary",
      TODO: "canary"
    }
    const program = start({ ...settings, ...unknown, TODO_TEST_SEED: "1", DATABASE_URL: urls.DATABASE_URL })
    await program.address()
    const warnings = program
      .stdout()
      .split("\n")
      .filter((line) => line.includes("is not a setting"))
    expect(warnings.map((line) => JSON.parse(line).message)).toEqual([
      "TODO_ is not a setting, and is ignored",
      "TODO_DATADIR is not a setting, and is ignored; did you mean TODO_DATA_DIR?",
      "TODO_JWT_SECERT is not a setting, and is ignored; did you mean TODO_JWT_SECRET?",
      "TODO_X is not a setting, and is ignored"
    ])
    expect(program.stdout() + program.stderr()).not.toContain("canary")
  })
})

describe("A start migrates the schema", () => {
  const empty = useDatabase(TestDatabase.layerEmpty)

  it("the server migrates with TODO_MIGRATE=auto, as the role of TODO_MIGRATE_URL, in the schema of TODO_SCHEMA", async () => {
    const { DATABASE_URL, TODO_MIGRATE_URL } = empty
    const program = start({ ...settings, DATABASE_URL, TODO_MIGRATE_URL, TODO_MIGRATE: "auto", TODO_SCHEMA: "mine" })
    const address = await program.address()
    const authorization = `Bearer ${await sign(claims("somebody"))}`
    const created = await request(`${address}/v1/todos`, "POST", { json: { title: "a" }, headers: { authorization } })
    expect(created.status).toBe(201)
  })
})
