import { randomUUID } from "node:crypto"
import { Database, Services } from "@todo/core"
import { TestDatabase } from "@todo/core/testing"
import { Authentication, Lifecycle, Mount, Unauthorized } from "@todo/http"
import { Context, Duration, Effect, Layer, References, Tracer } from "effect"
import { HttpRouter, HttpServer, HttpServerResponse } from "effect/http"
import { describe, expect, it, onTestFinished } from "vitest"

/** Authenticates by a header, for tests only. */
const authentication = Authentication.layerFrom(({ headers }) => Effect.succeed(headers["x-user"]))

/** The API below a prefix, on its own database. */
const todos = (prefix: string, authorization: typeof authentication = authentication) =>
  Mount.layer({ prefix }).pipe(
    Layer.provide(authorization),
    Layer.provide(Services.layer),
    Layer.provide(Layer.unwrap(Effect.map(TestDatabase, ({ prepare, url }) => Database.layer({ url, prepare })))),
    Layer.provide(TestDatabase.layer),
    Layer.orDie
  )

const own = Layer.mergeAll(
  HttpRouter.add("GET", "/", HttpServerResponse.text("own")),
  HttpRouter.add("GET", "/broken", Effect.die(new Error("canary"))),
  HttpRouter.add("POST", "/echo", (request) =>
    Effect.map(Effect.orDie(request.text), (text) => HttpServerResponse.text(text))
  )
)

const silence = Layer.succeed(References.MinimumLogLevel, "None")

const serve = (app: Layer.Layer<never, never, HttpRouter.HttpRouter>) => {
  const { dispose, handler } = HttpRouter.toWebHandler(
    app.pipe(Layer.provideMerge(HttpServer.layerServices), Layer.provideMerge(silence)),
    { disableLogger: true }
  )
  onTestFinished(dispose)
  return async (method: string, path: string, headers: Record<string, string> = {}, body?: string) => {
    const response = await handler(
      new Request(`http://host.example${path}`, { method, headers, ...(body !== undefined && { body }) })
    )
    const text = await response.text()
    return { status: response.status, headers: Object.fromEntries(response.headers), text }
  }
}

const json = { "content-type": "application/json" }

describe("Mount", () => {
  it("a mount does not change the host's routes, errors, bodies and headers", async () => {
    const send = serve(Layer.mergeAll(own, todos("/api/todos")).pipe(Layer.provide(Lifecycle.layer)))
    const alone = serve(own)
    for (const [method, path, headers, body] of [
      ["GET", "/"],
      ["HEAD", "/"],
      ["GET", "/broken"],
      ["GET", "/nothing"],
      ["GET", "/api/todosx"],
      ["GET", "/v1/todos"],
      ["DELETE", "/"],
      ["OPTIONS", "/", { origin: "https://app.example.com", "access-control-request-method": "GET" }],
      ["POST", "/echo", { "content-encoding": "gzip" }, "x"],
      ["POST", "/echo", {}, "x".repeat(300_000)]
    ] as const) {
      expect(await send(method, path, headers, body)).toEqual(await alone(method, path, headers, body))
    }
    expect((await send("GET", "/api/todos/v1/me", { "x-user": "alice" })).status).toBe(200)
  })

  it("a mount keeps its own errors if the host handles every error", async () => {
    const page = HttpServerResponse.text("The host's own page of errors", { status: 418 })
    const handling = HttpRouter.middleware((app) => Effect.catchCause(app, () => Effect.succeed(page)) as typeof app, {
      global: true
    })
    const send = serve(
      Layer.mergeAll(own, todos("/api/todos")).pipe(Layer.provide(handling), Layer.provide(Lifecycle.layer))
    )
    for (const path of ["/broken", "/nothing"]) expect((await send("GET", path)).status).toBe(418)
    for (const [path, status, code] of [
      ["/api/todos/v1/nothing", 404, "route-not-found"],
      ["/api/todos", 404, "route-not-found"],
      ["/api/todos/v1/me", 401, "unauthorized"],
      [`/api/todos/v1/todos/${randomUUID()}`, 404, "todo-not-found"]
    ] as const) {
      const answer = await send("GET", path, code === "unauthorized" ? {} : { "x-user": "alice" })
      expect(answer.status).toBe(status)
      expect(JSON.parse(answer.text)).toMatchObject({ code, requestId: answer.headers["x-request-id"] })
    }
  })

  it("a mount reads only bodies of its own requests, so the host can read the others", async () => {
    const { dispose, handler } = HttpRouter.toWebHandler(
      Layer.mergeAll(own, todos("/api")).pipe(Layer.provide(Lifecycle.layer), Layer.provideMerge(silence)),
      { disableLogger: true }
    )
    onTestFinished(dispose)
    const post = (path: string) => {
      let sent = 0
      const body = new ReadableStream({
        pull: (controller) => (++sent > 30 ? controller.close() : controller.enqueue(new Uint8Array(10_000).fill(0x20)))
      })
      const headers = { "x-user": "alice", ...json }
      return handler(
        new Request(`http://host.example${path}`, { method: "POST", headers, body, duplex: "half" } as RequestInit)
      )
    }
    expect((await post("/api/v1/todos")).status).toBe(413)
    expect((await (await post("/echo")).text()).length).toBe(300_000)
  })

  it("a request has one span, that of the host", async () => {
    const spans: Array<string> = []
    const tracer = Tracer.make({
      span: (options) => {
        if (options.kind === "server") spans.push(options.name)
        return Tracer.nativeTracer.span(options)
      }
    })
    const send = serve(
      todos("/api").pipe(Layer.provide(Lifecycle.layer), Layer.provideMerge(Layer.succeed(Tracer.Tracer, tracer)))
    )
    expect((await send("GET", "/api/v1/me", { "x-user": "alice" })).status).toBe(200)
    expect(spans).toHaveLength(1)
  })

  it("the CORS of the host applies to its routes and to the API", async () => {
    const origin = "https://app.example.com"
    const send = serve(
      Layer.mergeAll(own, todos("/api/todos")).pipe(
        Layer.provide(HttpRouter.cors({ allowedOrigins: [origin] })),
        Layer.provide(Lifecycle.layer)
      )
    )
    for (const path of ["/", "/nothing", "/api/todos/v1/me", "/api/todos/v1/nothing"]) {
      const answer = await send("GET", path, { origin, "x-user": "alice" })
      expect([path, answer.headers["access-control-allow-origin"]]).toEqual([path, origin])
    }
  })

  it("two mounts on two databases do not share data", async () => {
    const send = serve(Layer.mergeAll(todos("/one"), Layer.fresh(todos("/two"))).pipe(Layer.provide(Lifecycle.layer)))
    const user = { "x-user": "alice", ...json }
    const created = await send("POST", "/one/v1/todos", user, '{"title":"a"}')
    expect(created.headers["location"]).toMatch(/^\/one\/v1\/todos\//)
    expect(JSON.parse((await send("GET", "/one/v1/me", user)).text).counts.open).toBe(1)
    expect(JSON.parse((await send("GET", "/two/v1/me", user)).text).counts.open).toBe(0)
  })

  it("a mount authenticates by a service of the host, and answers its errors", async () => {
    class Sessions extends Context.Service<Sessions, { readonly userOf: (session: string) => string | undefined }>()(
      "test/Sessions"
    ) {}
    const bySession = Authentication.layerFrom(
      Effect.fnUntraced(function* ({ cookies }) {
        const sessions = yield* Sessions
        if (cookies["session"] === "broken") return yield* Effect.die(new Error("canary"))
        if (cookies["session"] === "over") return yield* new Unauthorized({ reason: "invalid" })
        return sessions.userOf(cookies["session"] ?? "")
      })
    ).pipe(Layer.provide(Layer.succeed(Sessions, { userOf: (session) => (session === "good" ? "alice" : undefined) })))
    const send = serve(todos("/api", bySession).pipe(Layer.provide(Lifecycle.layer)))
    const status = async (session: string) => {
      const answer = await send("GET", "/api/v1/me", { cookie: `session=${session}` })
      expect(answer.text).not.toContain("canary")
      return answer.status
    }
    expect(await status("good")).toBe(200)
    expect(await status("none")).toBe(401)
    expect(await status("over")).toBe(401)
    expect(await status("broken")).toBe(500)
  })

  it("a mount ends its streams with the host's lifecycle", async () => {
    const lifecycle = await Effect.runPromise(Lifecycle.make)
    const { dispose, handler } = HttpRouter.toWebHandler(
      todos("/api").pipe(Layer.provide(Layer.succeed(Lifecycle, lifecycle)), Layer.provideMerge(silence)),
      { disableLogger: true }
    )
    onTestFinished(dispose)
    const headers = { "x-user": "alice", accept: "text/event-stream" }
    const response = await handler(new Request("http://host.example/api/v1/changes", { headers }))
    await Effect.runPromise(lifecycle.drain(Duration.zero))
    expect(await response.text()).toBe("retry: 2000\n")
  })

  it.each(["", "api", "/", "/api/", "/a b", "/:id", "/*"])("a mount refuses the prefix %j", (prefix) => {
    expect(() => Mount.layer({ prefix })).toThrow(TypeError)
  })
})
