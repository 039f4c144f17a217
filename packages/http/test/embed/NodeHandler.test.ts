import { once } from "node:events"
import { createServer, type RequestListener, type IncomingMessage } from "node:http"
import { createNodeHandler, type HandlerOptions, type Report } from "@todo/http"
import { Duration, Redacted } from "effect"
import express from "express"
import { describe, expect, it, onTestFinished } from "vitest"
import { portOf, useDatabase } from "../support/program.ts"
import { audience, issuer, request, secret } from "../support/testServer.ts"

describe("createNodeHandler", () => {
  const urls = useDatabase()

  const create = (options: Partial<HandlerOptions> = {}) => {
    const { dispose, handler } = createNodeHandler({
      url: urls.DATABASE_URL,
      prepare: urls.prepare,
      prefix: "/api/todos",
      authenticate: (request: IncomingMessage & { user?: string }) => request.user,
      log: () => {},
      ...options
    })
    onTestFinished(dispose)
    return handler
  }

  const listen = async (listener: RequestListener): Promise<string> => {
    const server = createServer(listener).listen(0, "127.0.0.1")
    onTestFinished(() => void server.closeAllConnections())
    onTestFinished(() => void server.close())
    await once(server, "listening")
    return `http://127.0.0.1:${portOf(server)}`
  }

  /** A middleware of the host that runs before the handler. */
  const withUser =
    (handler: RequestListener): RequestListener =>
    (request, response) => {
      Object.assign(request, { user: "alice" })
      handler(request, response)
    }

  const todos = "/api/todos/v1/todos"

  it("the handler reads the user that middleware of the host has set on the request", async () => {
    const origin = await listen(withUser(create()))
    const created = await request(origin + todos, "POST", { json: { title: "a" } })
    expect(created).toMatchObject({ status: 201, headers: { location: `${todos}/${created.body.id}` } })
    expect((await request((await listen(create())) + todos, "GET")).status).toBe(401)
  })

  it.each([
    [
      "app.use(path, handler), which takes the path off",
      (app: express.Express, handler: RequestListener) => app.use("/api/todos", handler)
    ],
    [
      "app.all(pattern, handler)",
      (app: express.Express, handler: RequestListener) => app.all("/api/todos/*rest", handler)
    ],
    [
      "a router within a router",
      (app: express.Express, handler: RequestListener) => app.use("/api", express.Router().use("/todos", handler))
    ]
  ])("the handler is mounted in Express by %s", async (_, mount) => {
    const app = express()
    mount(app, withUser(create()))
    const origin = await listen(app)
    const { body, headers } = await request(origin + todos, "POST", { json: { title: "a" } })
    expect((await request(origin + headers["location"], "GET")).body).toEqual(body)
    expect((await request(`${origin}/api/todos/v1/nothing`, "GET")).body.code).toBe("route-not-found")
  })

  it("a handler behind a body parser answers writes 500 and logs the reason, and still answers reads", async () => {
    const reports: Array<Report> = []
    const app = express()
    app.use(express.json())
    app.use("/api/todos", withUser(create({ onError: (report) => reports.push(report) })))
    const origin = await listen(app)
    const answer = await request(origin + todos, "POST", { json: { title: "a" } })
    expect(answer).toMatchObject({ status: 500, body: { code: "internal" } })
    expect(reports).toMatchObject([{ requestId: answer.body.requestId, errors: [{ name: "BodyAlreadyRead" }] }])
    expect((await request(origin + todos, "GET")).status).toBe(200)
  })

  it("the handler limits invalid tokens by client address, as the server does", async () => {
    const { dispose, handler } = createNodeHandler({
      url: urls.DATABASE_URL,
      prepare: urls.prepare,
      tokens: { secrets: [Redacted.make(secret)], issuer, audience, maxAge: Duration.hours(1) },
      rateLimit: { requests: 2, window: Duration.hours(1) }
    })
    onTestFinished(dispose)
    const origin = await listen(handler)
    const bad = { headers: { authorization: "Bearer bad" } }
    const statuses = []
    for (let n = 0; n < 3; n++) statuses.push((await request(`${origin}/v1/me`, "GET", bad)).status)
    expect(statuses).toEqual([401, 401, 429])
  })

  it("a request to a handler that could not start gets a 503 with problem details", async () => {
    // The option is valid when it is checked, and throws when it is used.
    let reads = 0
    const rateLimit = {
      requests: 1,
      get window() {
        if (reads++ > 0) throw new Error("broken")
        return "1 minute" as const
      }
    }
    const origin = await listen(withUser(create({ rateLimit })))
    const { body, headers, status } = await request(`${origin}/api/todos/v1/me`, "GET")
    expect(status).toBe(503)
    expect(headers).toMatchObject({
      "content-type": "application/problem+json",
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
      "x-request-id": body.requestId,
      "retry-after": "1"
    })
    expect(body).toMatchObject({
      code: "unavailable",
      detail: "The handler is not running; its log says why",
      outcome: "not-applied",
      requestId: expect.stringMatching(/./)
    })
  })
})
