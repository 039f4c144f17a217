import { randomUUID } from "node:crypto"
import { Database, Unavailable } from "@todo/core"
import {
  createHandler,
  type HandlerOptions,
  type Identification,
  type Report,
  type TokenKeys,
  type TokenSettings
} from "@todo/http"
import { Duration, Effect, Redacted } from "effect"
import { PrometheusMetrics } from "effect/observability"
import { SqlClient } from "effect/sql"
import { describe, expect, it, onTestFinished } from "vitest"
import { lockUser, waitingForLock } from "../support/lockUser.ts"
import { useDatabase } from "../support/program.ts"
import { audience, claims, issuer, secret, sign } from "../support/testServer.ts"

const at = "https://host.example/api/todos"

const tokens = (keys: TokenKeys): TokenSettings => ({ issuer, audience, maxAge: Duration.hours(1), ...keys })

/** For what happens soon, also on a busy machine. */
const patient = { timeout: 10_000, interval: 20 }

describe("createHandler", () => {
  const urls = useDatabase()

  /** Sends a request as the user that the header `x-user` names. */
  const create = (options: Partial<HandlerOptions & Identification<Request>> = {}) => {
    const { dispose, handler } = createHandler({
      url: urls.unlimited,
      prepare: urls.prepare,
      prefix: "/api/todos",
      authenticate: (request) => request.headers.get("x-user"),
      log: () => {},
      ...options
    })
    onTestFinished(dispose)
    const send = async (method: string, path: string, user?: string, init: RequestInit & { json?: unknown } = {}) => {
      const { json, ...rest } = init
      const response = await handler(
        new Request(at + path, {
          method,
          ...rest,
          headers: {
            ...(user !== undefined && { "x-user": encodeURIComponent(user) }),
            ...(json !== undefined && { "content-type": "application/json" }),
            ...(rest.headers as Record<string, string>)
          },
          ...(json !== undefined && { body: JSON.stringify(json) })
        })
      )
      const text = await response.text()
      const headers = Object.fromEntries(response.headers)
      return { status: response.status, headers, text, body: text.startsWith("{") ? JSON.parse(text) : undefined }
    }
    return { handler, dispose, send }
  }

  const asSuperuser = <A>(use: (sql: SqlClient.SqlClient) => Effect.Effect<A, unknown>) =>
    Effect.flatMap(SqlClient.SqlClient, use).pipe(Effect.provide(Database.layer({ url: urls.admin, poolSize: 1 })))

  const waits = () => waitingForLock(urls.admin)

  const streams = async () =>
    Number(/^http_event_streams (\d+)$/m.exec(await Effect.runPromise(PrometheusMetrics.format()))?.[1] ?? 0)

  describe("authenticates by the function of the host", () => {
    it.each([
      ["a name", "alice"],
      ["a promise of one", Promise.resolve("alice")],
      ["a session with an end", { userId: "alice", expires: new Date(Date.now() + 60_000) }],
      ["255 characters", "é".repeat(255)],
      ["what no other system would call a name", "'; drop table todos; -- \u202e/../%00"]
    ])("`authenticate` may return %s", async (_, caller) => {
      const { send } = create({ authenticate: () => caller })
      const { body, status } = await send("GET", "/v1/me")
      const given = await caller
      expect([status, body.id]).toEqual([200, typeof given === "string" ? given : given.userId])
    })

    it.each([
      ["nothing", undefined],
      ["null", null],
      ["a promise of nothing", Promise.resolve(undefined)],
      ["an empty name", ""],
      ["256 characters", "x".repeat(256)],
      ["control characters", "a\u0000b"],
      ["half a character", "\ud800"],
      ["a session that has expired", { userId: "alice", expires: new Date(Date.now() - 1) }],
      ["a session whose end is no time", { userId: "alice", expires: new Date(Number.NaN) }],
      ["a number", 7 as never],
      ["an object", {} as never]
    ])("a request is answered 401 if `authenticate` returns %s", async (_, caller) => {
      const { send } = create({ authenticate: () => caller })
      const answer = await send("GET", "/v1/me")
      expect(answer).toMatchObject({ status: 401, body: { code: "unauthorized" } })
      expect(answer.headers["www-authenticate"]).toMatch(/^Bearer /)
    })

    it.each([
      [
        "throws",
        () => {
          throw new Error("canary")
        }
      ],
      ["rejects", () => Promise.reject(new TypeError("canary"))],
      ["throws what is no error", () => Promise.reject("canary" as never)]
    ])(
      "a request is answered 500 without the error's message if `authenticate` %s, and the host gets one report",
      async (_, authenticate) => {
        const reports: Array<Report> = []
        const { send } = create({ authenticate, onError: (report) => reports.push(report) })
        const answer = await send("GET", "/v1/me")
        expect(answer).toMatchObject({ status: 500, body: { code: "internal" } })
        expect(answer.text + JSON.stringify(answer.headers)).not.toContain("canary")
        expect(reports.map(({ requestId }) => requestId)).toEqual([answer.body.requestId])
      }
    )

    it("a request is answered 503 if `authenticate` fails with Unavailable", async () => {
      const { send } = create({ authenticate: () => Promise.reject(new Unavailable({ outcome: "not-applied" })) })
      expect(await send("GET", "/v1/me")).toMatchObject({ status: 503, headers: { "retry-after": "1" } })
    })

    it("a request is answered 503 if `authenticate` exceeds the request timeout", async () => {
      const { send } = create({ authenticate: () => new Promise(() => {}), requestTimeout: "200 millis" })
      expect(await send("GET", "/v1/me")).toMatchObject({ status: 503, body: { outcome: "not-applied" } })
    })

    it("health checks do not call `authenticate`", async () => {
      const { send } = create({ authenticate: () => Promise.reject(new Error("asked")) })
      for (const path of ["/livez", "/readyz", "/openapi.json", "/docs"]) {
        expect((await send("GET", path)).status).toBe(200)
      }
    })
  })

  it("a disabled user is refused", async () => {
    const user = `user-${randomUUID()}`
    const { send } = create()
    await send("POST", "/v1/todos", user, { json: { title: "a" } })
    await Effect.runPromise(asSuperuser((sql) => sql`update todo.users set disabled_at = now() where id = ${user}`))
    const { send: later } = create()
    expect(await later("GET", "/v1/me", user)).toMatchObject({ status: 403, body: { code: "user-disabled" } })
  })

  it("the rate limit counts each user by itself", async () => {
    const { send } = create({ rateLimit: { requests: 2, window: Duration.hours(1) } })
    const [one, other] = [`user-${randomUUID()}`, `user-${randomUUID()}`]
    for (const remaining of [1, 0]) {
      const answer = await send("GET", "/v1/me", one)
      expect(answer.headers).toMatchObject({ "ratelimit-policy": '"user";q=2;w=3600' })
      expect(answer.headers["ratelimit"]).toContain(`r=${remaining};`)
    }
    expect(await send("GET", "/v1/me", one)).toMatchObject({ status: 429, headers: { "retry-after": "1800" } })
    expect((await send("GET", "/v1/me", other)).status).toBe(200)
  })

  it("a handler accepts tokens instead, and does not limit invalid ones by address", async () => {
    const { dispose, handler } = createHandler({
      url: urls.DATABASE_URL,
      prepare: urls.prepare,
      rateLimit: { requests: 2, window: Duration.hours(1) },
      tokens: { secrets: [Redacted.make(secret)], issuer, audience, maxAge: Duration.hours(24) }
    })
    onTestFinished(dispose)
    const ask = async (token: string) =>
      (
        await handler(
          new Request("https://host.example/v1/me", {
            headers: token === "" ? {} : { authorization: `Bearer ${token}` }
          })
        )
      ).status
    for (const bad of ["", "bad", "a.b.c", "bad"]) expect(await ask(bad)).toBe(401)
    expect(await ask(await sign(claims("alice")))).toBe(200)
  })

  it("a handler answers below its prefix only", async () => {
    const { handler, send } = create()
    const { body, headers } = await send("POST", "/v1/todos", "alice", { json: { title: "a" } })
    expect(headers["location"]).toBe(`/api/todos/v1/todos/${body.id}`)
    for (const path of [
      "/v1/me",
      "/api",
      "/api/todos",
      "/api/todos?v1/me",
      "/api/todosv1/me",
      "/API/todos/v1/me",
      "//api/todos/v1/me"
    ]) {
      const response = await handler(new Request(`https://host.example${path}`, { headers: { "x-user": "alice" } }))
      expect([path, response.status]).toEqual([path, 404])
      expect(await response.json()).toMatchObject({ code: "route-not-found" })
    }
    expect((await send("GET", "/openapi.json")).body.servers).toEqual([{ url: "/api/todos" }])
  })

  it("pages of `corsOrigins` can read responses, and their preflights are answered", async () => {
    const origin = "https://app.example.com"
    const { send } = create({ corsOrigins: [origin] })
    const preflight = { origin, "access-control-request-method": "POST" }
    const asked = await send("OPTIONS", "/v1/todos", undefined, { headers: preflight })
    expect(asked).toMatchObject({ status: 204, headers: { "access-control-allow-origin": origin } })
    const answer = await send("GET", "/v1/me", "alice", { headers: { origin } })
    expect(answer.headers["access-control-expose-headers"]).toContain("etag")
  })

  it("a handler logs failures only, or everything to `log`", async () => {
    const lines: Array<string> = []
    const { dispose, send } = create({ log: (text) => lines.push(text) })
    const { headers } = await send("GET", "/v1/me?x=canary", "somebody")
    await dispose()
    const [line] = lines.join("").trim().split("\n")
    expect(JSON.parse(line ?? "")).toMatchObject({
      message: "request",
      annotations: { requestId: headers["x-request-id"], route: "/v1/me", status: 422 }
    })
    expect(lines.join("")).not.toMatch(/canary|somebody/)
  })

  it("a handler answers 503 while there is no database", async () => {
    const { send } = create({ url: "postgres://nobody@127.0.0.1:1/nothing" })
    expect(await send("GET", "/v1/me", "alice")).toMatchObject({ status: 503, body: { code: "unavailable" } })
    expect((await send("GET", "/livez")).status).toBe(200)
    expect((await send("GET", "/readyz")).status).toBe(503)
  })

  it.each([
    ["url", { url: "mysql://canary" }],
    ["url", { url: "" }],
    ["url: sslmode", { url: "postgres://user:canary@127.0.0.1/todo?sslmode=canary" }],
    ["url: password", { url: "postgres://user:100%canary@127.0.0.1/todo" }],
    ["url: channel_binding", { url: "postgres://user:canary@127.0.0.1/todo?channel_binding=require" }],
    ["schema", { schema: 'canary"; drop' }],
    ["prefix", { prefix: "api/canary" }],
    ["prefix", { prefix: "/canary/" }],
    ["prefix", { prefix: "/" }],
    ["prefix", { prefix: "/canary/:id" }],
    ["poolSize", { poolSize: 0 }],
    ["poolSize", { poolSize: Number.NaN }],
    ["requestTimeout", { requestTimeout: "canary" as never }],
    ["drainTimeout", { drainTimeout: "canary" as never }],
    ["bodyLimit", { bodyLimit: "64 KiB canary" as never }],
    ["rateLimit", { rateLimit: "600/canary" as never }],
    ["rateLimit", { rateLimit: { requests: 600, window: "canary" as never } }],
    ["requestTimeout", { requestTimeout: "0 seconds" as const }],
    ["requestTimeout", { requestTimeout: "30 days" as const }],
    ["rateLimit", { rateLimit: null as never }],
    ["rateLimit", { rateLimit: { requests: 600, window: "0 seconds" as const } }],
    ["corsOrigins", { corsOrigins: "https://canary.test" as never }],
    ["corsOrigins", { corsOrigins: ["https://canary.test/"] }],
    ["authenticate", { authenticate: undefined as never }],
    ["tokens", { tokens: { secret: "canary", issuer: "a", audience: "a" } as never }],
    ["tokens", { tokens: undefined as never }],
    ["tokens", { tokens: { ...tokens({ secrets: [Redacted.make(secret)] }), issuer: undefined as never } }],
    ["tokens", { tokens: tokens({ secrets: [] }) }],
    ["tokens", { tokens: tokens({ secrets: secret as never }) }],
    ["tokens", { tokens: tokens({ publicKeys: [] }) }],
    ["tokens", { tokens: tokens({ jwksUrl: new URL("ftp://canary.test/keys") }) }],
    ["tokens", { tokens: tokens({ publicKeys: "canary" as never }) }],
    ["tokens", { tokens: tokens({ jwksUrl: "https://canary.test/keys" as never }) }],
    ["tokens", { tokens: tokens({ secrets: [Redacted.make("canary, and short")] }) }],
    ["tokens", { tokens: tokens({ secrets: ["canary, and as long as a secret has to be" as never] }) }]
  ])("createHandler refuses a bad %s, and does not repeat it", (name, options) => {
    const creating = () => create(options)
    expect(creating).toThrow(TypeError)
    expect(creating).toThrow(new RegExp(`^${name}: (?!.*canary)`))
  })

  it.each([
    ["read", (request: Request) => request.text()],
    ["held by a reader", async (request: Request) => void request.body?.getReader()]
  ])("a body that was already %s is reported to the host, and not to the client", async (_, take) => {
    const reports: Array<Report> = []
    const { handler } = create({ onError: (report) => reports.push(report) })
    const headers = { "x-user": "alice", "content-type": "application/json" }
    const request = new Request(`${at}/v1/todos`, { method: "POST", headers, body: '{ "title": "a" }' })
    await take(request)
    expect((await handler(request)).status).toBe(500)
    expect(reports).toMatchObject([{ errors: [{ name: "BodyAlreadyRead" }] }])
  })

  it("a handler answers 500 if code of the host throws, also its error tracker, and does not log the cause of the error", async () => {
    const lines: Array<string> = []
    const { send } = create({
      authenticate: () => {
        throw new Error("no session", { cause: new Error("canary") })
      },
      onError: () => {
        throw new Error("no tracker")
      },
      log: (text) => lines.push(text)
    })
    expect((await send("GET", "/v1/me", "alice")).status).toBe(500)
    await expect.poll(() => lines.join("")).toContain("the error tracker failed")
    expect(lines.join("")).toContain("no session")
    expect(lines.join("")).not.toContain("canary")
  })

  it("a handler logs why it cannot start", async () => {
    const lines: Array<string> = []
    // An unexpected failure: the option is valid when it is checked, and throws when it is used.
    let reads = 0
    const window = () => {
      if (reads++ > 0) throw new Error("broken")
      return "1 minute" as const
    }
    const rateLimit = {
      requests: 1,
      get window() {
        return window()
      }
    }
    const { send } = create({ rateLimit, log: (text) => lines.push(text) })
    expect((await send("GET", "/v1/me", "alice")).status).toBe(503)
    await expect.poll(() => lines.join("")).toContain("the handler cannot start")
  })

  describe("ends", () => {
    it("an aborted signal ends the request and its statement", async () => {
      const user = `user-${randomUUID()}`
      const { send } = create()
      await send("POST", "/v1/todos", user, { json: { title: "first" } })
      const release = await lockUser(urls.admin, user)
      const controller = new AbortController()
      const writing = send("POST", "/v1/todos", user, { json: { title: "never" }, signal: controller.signal })
      await expect.poll(waits, patient).toBe(1)
      controller.abort()
      expect((await writing).status).toBe(499)
      await expect.poll(waits, patient).toBe(0)
      release()
      expect((await send("GET", "/v1/me", user)).body.counts.open).toBe(1)
    })

    it("a request whose signal has already aborted does nothing", async () => {
      const user = `user-${randomUUID()}`
      const { send } = create()
      const init = { json: { title: "never" }, signal: AbortSignal.abort() }
      expect((await send("POST", "/v1/todos", user, init)).status).toBe(499)
      expect((await send("GET", "/v1/me", user)).body.counts.open).toBe(0)
    })

    const follow = async (handler: (request: Request) => Promise<Response>, init: RequestInit = {}) => {
      const headers = { accept: "text/event-stream", "x-user": "alice" }
      const response = await handler(new Request(`${at}/v1/changes`, { ...init, headers }))
      const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
      if (reader === undefined) throw new Error("no body")
      expect((await reader.read()).value).toMatch(/^retry: /)
      await expect.poll(streams, { timeout: 20_000 }).toBe(1)
      return reader
    }

    it("a stream ends when its body is cancelled", async () => {
      const reader = await follow(create().handler)
      await reader.cancel()
      await expect.poll(streams, { timeout: 20_000 }).toBe(0)
    })

    it("a stream ends when the signal aborts", async () => {
      const controller = new AbortController()
      const reader = await follow(create().handler, { signal: controller.signal })
      controller.abort()
      await expect.poll(streams, { timeout: 20_000 }).toBe(0)
      await reader.cancel().catch(() => {})
    })

    it("a stream ends with the session that opened it", async () => {
      const { handler } = create({ authenticate: () => ({ userId: "alice", expires: new Date(Date.now() + 500) }) })
      const reader = await follow(handler)
      while (!(await reader.read()).done) continue
      await expect.poll(streams, { timeout: 20_000 }).toBe(0)
    })

    it("`dispose` ends streams, then answers requests in flight, then refuses later requests", async () => {
      const user = `user-${randomUUID()}`
      const { dispose, handler, send } = create()
      await send("POST", "/v1/todos", user, { json: { title: "first" } })
      const reader = await follow(handler)
      const release = await lockUser(urls.admin, user)
      const writing = send("POST", "/v1/todos", user, { json: { title: "last" } })
      await expect.poll(waits, patient).toBe(1)
      const disposed = dispose()
      while (!(await reader.read()).done) continue
      expect(await send("GET", "/v1/me", user)).toMatchObject({ status: 503, body: { outcome: "not-applied" } })
      release()
      expect((await writing).status).toBe(201)
      await disposed
      expect(await send("POST", "/v1/todos", user, { json: {} })).toMatchObject({ status: 503 })
      await dispose()
    })

    it("a handler that is disposed of at once never starts", async () => {
      const { dispose, handler } = create()
      await dispose()
      expect((await handler(new Request(`${at}/v1/me`))).status).toBe(503)
    })

    it("a request that exceeds the drain timeout ends with an unknown outcome", async () => {
      const user = `user-${randomUUID()}`
      const { dispose, send } = create({ drainTimeout: "100 millis" })
      await send("POST", "/v1/todos", user, { json: { title: "first" } })
      await lockUser(urls.admin, user)
      const writing = send("POST", "/v1/todos", user, { json: { title: "late" } })
      await expect.poll(waits, patient).toBe(1)
      await dispose()
      expect(await writing).toMatchObject({ status: 503, body: { code: "unavailable", outcome: "unknown" } })
      await expect.poll(waits, patient).toBe(0)
    })
  })
})
