import { createHash } from "node:crypto"
import { Database, Services } from "@todo/core"
import { TestDatabase } from "@todo/core/testing"
import { ErrorTracker, type Report, Server, TokenVerifier } from "@todo/http"
import { Cause, Duration, Effect, Layer, ManagedRuntime, Redacted, References } from "effect"
import { HttpServer } from "effect/http"
import { SqlClient } from "effect/sql"
import { describe, expect, it, onTestFinished } from "vitest"
import pkg from "../../package.json" with { type: "json" }
import { lockUser } from "../support/lockUser.ts"
import { freePort } from "../../../../.config/freePort.ts"
import { type Program, settings, start, useDatabase } from "../support/program.ts"
import { audience, claims, issuer, request, secret, sign } from "../support/testServer.ts"

const user = "somebody@example.com"
const authorization = `Bearer ${await sign(claims(user))}`

/** Puts a defect into the database: reading the account of a user divides by zero. */
const breakMe = (admin: Redacted.Redacted) =>
  Effect.runPromise(
    Effect.flatMap(
      SqlClient.SqlClient,
      (sql) =>
        sql`create or replace function todo.todo_json(t todo.todos) returns json language sql stable as 'select to_json(1 / 0)'`
    ).pipe(Effect.provide(Database.layer({ url: admin, poolSize: 1 })))
  )

// oxlint-disable-next-line typescript/no-explicit-any -- JSON
const linesOf = (program: Program, requestId: string): ReadonlyArray<any> =>
  program
    .stdout()
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line))
    .filter(({ annotations }) => annotations?.requestId === requestId)

/** The value of each series. */
const metricsOf = (text: string): ReadonlyMap<string, number> =>
  new Map(
    text
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"))
      .map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.slice(line.lastIndexOf(" ") + 1))] as const)
  )

describe("The record of requests", () => {
  const urls = useDatabase()
  const serve = async (environment: Record<string, string> = {}) => {
    const program = start({ ...settings, DATABASE_URL: urls.DATABASE_URL, ...environment })
    return { program, address: await program.address() }
  }

  it("each request has one line of JSON, with its id, route, status, time and a digest of the user", async () => {
    const { address, program } = await serve()
    const sent = { headers: { authorization, "x-request-id": "given-1" } }
    const query = "secret-words"
    expect((await request(`${address}/v1/todos?q=${query}`, "GET", sent)).headers["x-request-id"]).toBe("given-1")
    await expect.poll(() => linesOf(program, "given-1")).toHaveLength(1)
    const [line] = linesOf(program, "given-1")
    expect(line).toMatchObject({
      level: "INFO",
      message: "request",
      annotations: {
        method: "GET",
        route: "/v1/todos",
        status: 200,
        milliseconds: expect.any(Number),
        user: createHash("sha256").update(user).digest("base64url").slice(0, 16)
      }
    })
    expect(program.stdout()).not.toContain(query)
    expect(program.stdout()).not.toContain(user)
  })

  it("the log has templates for routes, and one name for all unknown paths", async () => {
    const { address, program } = await serve()
    const id = "019ab000-0000-7000-8000-000000000000"
    for (const [path, requestId] of [
      [`/v1/todos/${id}`, "row"],
      ["/made/up", "unknown"]
    ]) {
      await request(`${address}${path}`, "GET", { headers: { authorization, "x-request-id": requestId ?? "" } })
    }
    await expect.poll(() => linesOf(program, "unknown")).toHaveLength(1)
    expect(linesOf(program, "row")[0].annotations).toMatchObject({ route: "/v1/todos/:id", status: 404 })
    expect(linesOf(program, "unknown")[0].annotations).toMatchObject({ route: "unknown", status: 404 })
    expect(program.stdout()).not.toContain(id)
  })

  it("the log names users by their ids if TODO_LOG_USER=plain is set", async () => {
    const { address, program } = await serve({ TODO_LOG_USER: "plain" })
    await request(`${address}/v1/me`, "GET", { headers: { authorization, "x-request-id": "plain" } })
    await expect.poll(() => linesOf(program, "plain")).toHaveLength(1)
    expect(linesOf(program, "plain")[0].annotations).toMatchObject({ user })
  })

  it("the log does not repeat an id that is not well-formed", async () => {
    const { address } = await serve()
    for (const id of ["with space", "a".repeat(129), 'quote"', "ключ".slice(0, 0)]) {
      const answer = await request(`${address}/livez`, "GET", { headers: { "x-request-id": id } })
      expect(answer.headers["x-request-id"]).toMatch(/^[\da-f-]{36}$/)
    }
  })

  it("requests are counted by route and status, on their own port if TODO_METRICS_PORT is set", async () => {
    const port = await freePort()
    const { address } = await serve({ TODO_METRICS_PORT: String(port) })
    await request(`${address}/v1/me`, "GET", { headers: { authorization } })
    await request(`${address}/v1/me`, "GET", { headers: { authorization } })
    await request(`${address}/v1/me`, "GET")
    const response = await fetch(`http://127.0.0.1:${port}/metrics`)
    expect(response.headers.get("content-type")).toMatch(/^text\/plain; version=0\.0\.4/)
    const text = await response.text()
    const value = (metric: string) =>
      Number(
        text
          .split("\n")
          .find((line) => line.startsWith(`${metric} `))
          ?.split(" ")[1]
      )
    expect(value('http_requests_total{method="GET",route="/v1/me",status="200"}')).toBe(2)
    expect(value('http_requests_total{method="GET",route="/v1/me",status="401"}')).toBe(1)
    expect(value('http_request_duration_seconds_count{route="/v1/me"}')).toBe(3)
    expect(value('token_signatures_checked_total{outcome="accepted"}')).toBe(1)
    expect(value("tokens_remembered")).toBe(1)
    expect((await request(`${address}/metrics`, "GET")).status).toBe(404)
    expect((await fetch(`http://127.0.0.1:${port}/v1/me`)).status).toBe(404)
  })

  it("the metrics have the counters of refusals from the start", async () => {
    const { address } = await serve()
    const { text } = await request(`${address}/metrics`, "GET")
    for (const name of [
      "http_event_streams",
      "http_requests_shed_total",
      'http_requests_limited_total{scope="user"}',
      'http_requests_limited_total{scope="address"}',
      "db_client_connection_pending_requests",
      "db_client_connection_timeouts_total"
    ]) {
      expect(text).toContain(`\n${name} 0\n`)
    }
  })

  it("the metrics have the process, its build and the pool of connections from the start", async () => {
    const { address } = await serve({ TODO_DATABASE_POOL: "7" })
    const first = metricsOf((await request(`${address}/metrics`, "GET")).text)
    expect(first.get("db_client_connection_max")).toBe(7)
    expect(first.get('db_client_connection_count{state="used"}')).toBe(0)
    expect(first.get('db_client_connection_count{state="idle"}')).toBeLessThanOrEqual(1)
    expect(first.get(`todo_build_info{version="${pkg.version}",node="${process.versions.node}"}`)).toBe(1)
    expect(Math.abs((first.get("process_start_time_seconds") ?? 0) - Date.now() / 1_000)).toBeLessThan(60)
    const used = first.get("nodejs_heap_size_used_bytes") ?? 0
    expect(used).toBeGreaterThan(2 ** 20)
    expect(first.get("nodejs_heap_size_total_bytes")).toBeGreaterThan(used)
    expect(first.get("process_resident_memory_bytes")).toBeGreaterThan(used)
    expect(first.get("nodejs_external_memory_bytes")).toBeGreaterThan(0)
    expect(first.get("process_cpu_user_seconds_total")).toBeGreaterThan(0)
    expect(first.get("process_cpu_system_seconds_total")).toBeGreaterThan(0)

    for (let times = 0; times < 50; times++) await request(`${address}/v1/me`, "GET", { headers: { authorization } })
    const { text } = await request(`${address}/metrics`, "GET")
    const later = metricsOf(text)
    expect(later.get("process_cpu_seconds_total")).toBeGreaterThan(first.get("process_cpu_seconds_total") ?? 0)
    expect(later.get("process_start_time_seconds")).toBe(first.get("process_start_time_seconds"))
    expect(later.get('db_client_connection_count{state="idle"}')).toBeGreaterThanOrEqual(1)
    for (const [name, type] of [
      ["process_cpu_seconds_total", "counter"],
      ["process_resident_memory_bytes", "gauge"],
      ["db_client_connection_count", "gauge"],
      ["todo_build_info", "gauge"]
    ]) {
      expect(text.split(`# TYPE ${name} ${type}\n`)).toHaveLength(2)
    }
  })

  it("the metrics count used and idle connections separately", async () => {
    const { address } = await serve()
    const { id } = (await request(`${address}/v1/todos`, "POST", { headers: { authorization }, json: { title: "a" } }))
      .body
    const connections = async () => {
      const metrics = metricsOf((await request(`${address}/metrics`, "GET")).text)
      return {
        used: metrics.get('db_client_connection_count{state="used"}'),
        idle: metrics.get('db_client_connection_count{state="idle"}') ?? 0
      }
    }
    const unlock = await lockUser(urls.admin, user)
    const writes = ["b", "c", "d"].map((title) =>
      request(`${address}/v1/todos/${id}`, "PATCH", { headers: { authorization }, json: { title } })
    )
    await expect.poll(connections).toMatchObject({ used: 3 })
    await unlock()
    expect((await Promise.all(writes)).map(({ status }) => status)).toEqual([200, 200, 200])
    await expect.poll(connections).toMatchObject({ used: 0 })
    expect((await connections()).idle).toBeGreaterThanOrEqual(3)
  })

  it("the log has the cause of a 500 under its request id, without values of rows", async () => {
    const { address, program } = await serve()
    const sent = { headers: { authorization, "x-request-id": "broken" }, json: { title: "a title to be kept" } }
    await breakMe(urls.admin)
    const answer = await request(`${address}/v1/todos`, "POST", sent)
    expect(answer).toMatchObject({ status: 500, body: { code: "internal", requestId: "broken" } })
    expect(answer.text).not.toMatch(/division|22012|todo_json/)
    await expect.poll(() => linesOf(program, "broken")).toHaveLength(2)
    const report = linesOf(program, "broken").find(({ level }) => level === "ERROR")
    expect(report.annotations.errors).toMatchObject([{ sqlState: "22012" }])
    expect(program.stdout()).not.toContain("a title to be kept")
  })
})

describe("An unreachable database", () => {
  const urls = useDatabase()

  it("an unreachable database is logged with its error, at the start and for each response", async () => {
    const url = new URL(urls.DATABASE_URL)
    url.pathname = "/nothing"
    const program = start({ ...settings, DATABASE_URL: url.href })
    const address = await program.address()
    const [warning] = program
      .stdout()
      .split("\n")
      .flatMap((line) => (line.includes("cannot be reached") ? [JSON.parse(line)] : []))
    const cause = { sqlState: "3D000", message: 'database "nothing" does not exist' }
    expect(warning).toMatchObject({ level: "WARN", annotations: { cause } })
    const sent = { headers: { authorization, "x-request-id": "away" } }
    const answer = await request(`${address}/v1/todos`, "GET", sent)
    expect(answer).toMatchObject({ status: 503, body: { code: "unavailable" } })
    expect(answer.text).not.toContain("nothing")
    await expect.poll(() => linesOf(program, "away")).toHaveLength(2)
    const report = linesOf(program, "away").find(({ level }) => level === "ERROR")
    expect(report.annotations.errors).toMatchObject([{ name: "Unavailable", cause }])
  })
})

describe("Errors of the server", () => {
  it("errors of the server are also passed to the ErrorTracker that the host provides", async () => {
    const seen: Array<Report> = []
    const layer = Server.layer({
      host: "127.0.0.1",
      port: 0,
      bodyLimit: 1_024,
      requestTimeout: Duration.seconds(10),
      drainTimeout: Duration.seconds(1)
    }).pipe(
      Layer.provide(Services.layer),
      Layer.provide(
        TokenVerifier.layer({ secrets: [Redacted.make(secret)], issuer, audience, maxAge: Duration.hours(24) })
      ),
      Layer.provide(Layer.succeed(ErrorTracker, (report) => void seen.push(report))),
      Layer.provide(
        Layer.unwrap(Effect.map(TestDatabase, ({ prepare, url }) => Database.layer({ url, prepare, poolSize: 2 })))
      ),
      Layer.provideMerge(TestDatabase.layer),
      Layer.provide(Layer.succeed(References.MinimumLogLevel, "None"))
    )
    const runtime = ManagedRuntime.make(layer)
    onTestFinished(() => runtime.dispose())
    const [address, admin] = await runtime.runPromise(
      Effect.all([
        Effect.map(HttpServer.HttpServer, (server) => HttpServer.formatAddress(server.address)),
        Effect.map(TestDatabase, ({ adminUrl }) => adminUrl)
      ])
    )
    const send = (json: unknown) => request(`${address}/v1/todos`, "POST", { headers: { authorization }, json })
    expect((await send({ title: "" })).status).toBe(422)
    expect(seen).toEqual([])
    await breakMe(admin)
    const { body, status } = await send({ title: "Buy milk" })
    expect(status).toBe(500)
    expect(seen).toMatchObject([{ requestId: body.requestId, errors: [{ sqlState: "22012" }] }])
    expect(Cause.pretty(seen[0]?.cause ?? Cause.empty)).toContain("SqlError")
  })
})
