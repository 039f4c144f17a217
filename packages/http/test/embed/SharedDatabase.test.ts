import { randomUUID } from "node:crypto"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { Database } from "@todo/core"
import { createTodos, type PromisedHooks } from "@todo/core/promise"
import { createHandler, createNodeHandler, type Report } from "@todo/http"
import { Effect, ManagedRuntime, Redacted } from "effect"
import { SqlClient } from "effect/sql"
import { describe, expect, it, onTestFinished } from "vitest"
import { useDatabase } from "../support/program.ts"

const authenticate = (request: Request) => request.headers.get("x-user")

describe("A handler shares", () => {
  const urls = useDatabase()
  const database = () => ({ url: urls.DATABASE_URL, prepare: urls.prepare })

  const connections = () =>
    Effect.runPromise(
      Effect.flatMap(
        SqlClient.SqlClient,
        (sql) =>
          sql`select 1 from pg_stat_activity where datname = current_database() and usename = 'todo_runtime'`.values
      ).pipe(Effect.provide(Database.layer({ url: urls.admin, poolSize: 1 })))
    )

  const sender =
    (handler: (request: Request) => Promise<Response>, user: string) =>
    async (method: string, path: string, json?: object) => {
      const response = await handler(
        new Request(`https://host.example${path}`, {
          method,
          headers: { "x-user": user, "content-type": "application/json" },
          ...(json !== undefined && { body: JSON.stringify(json) })
        })
      )
      return { status: response.status, body: await response.json() }
    }

  it("a handler shares the pool, the schema and the hooks of createTodos, and leaves that open", async () => {
    const user = `user-${randomUUID()}`
    const heard: Array<string> = []
    const hooks: PromisedHooks = {
      after: async (user, done, { query }) => {
        const [row] = await query("select 1 as one")
        heard.push(...done.map(({ op }) => `${user} ${op} ${row?.["one"]}`))
      }
    }
    const todos = createTodos({ ...database(), poolSize: 3, hooks })
    onTestFinished(todos.close)
    const { dispose, handler } = createHandler({ todos, authenticate })
    const send = sender(handler, user)
    expect((await send("POST", "/v1/todos", { title: "by HTTP" })).status).toBe(201)
    expect((await todos.todos.create(user, { title: "by the host" })).ok).toBe(true)
    expect(heard).toEqual([`${user} create 1`, `${user} create 1`])
    const [page] = await Promise.all([
      send("GET", "/v1/todos"),
      ...Array.from({ length: 20 }, (_, n) => send("GET", `/v1/todos?q=${n}`)),
      ...Array.from({ length: 20 }, (_, n) => todos.todos.list(user, { q: `${n}` }))
    ])
    expect(page?.body.items.map(({ title }: { title: string }) => title)).toEqual(["by HTTP", "by the host"])
    expect((await connections()).length).toBeLessThanOrEqual(3)

    await dispose()
    expect((await send("GET", "/v1/me")).status).toBe(503)
    expect((await todos.todos.list(user, {})).ok).toBe(true)
  })

  it("a handler answers 503 if createTodos was closed, whichever ended first", async () => {
    const todos = createTodos(database())
    const { dispose, handler } = createHandler({ todos, authenticate, log: () => {} })
    onTestFinished(dispose)
    const send = sender(handler, "alice")
    expect((await send("GET", "/v1/me")).status).toBe(200)
    await todos.close()
    expect(await send("GET", "/v1/me")).toMatchObject({ status: 503, body: { code: "unavailable" } })
    const late = createHandler({ todos, authenticate, log: () => {} })
    onTestFinished(late.dispose)
    expect((await sender(late.handler, "alice")("GET", "/v1/me")).status).toBe(503)
  })

  it("a listener of Node shares what createTodos has", async () => {
    const user = `user-${randomUUID()}`
    const todos = createTodos(database())
    onTestFinished(todos.close)
    const { dispose, handler } = createNodeHandler({ todos, authenticate: () => user })
    const server = createServer(handler).listen(0, "127.0.0.1")
    onTestFinished(async () => {
      server.close()
      await dispose()
    })
    await new Promise((done) => server.once("listening", done))
    const { port } = server.address() as AddressInfo
    await todos.todos.create(user, { title: "a" })
    const response = await fetch(`http://127.0.0.1:${port}/v1/todos`)
    expect((await response.json()).items).toMatchObject([{ title: "a" }])
  })

  it("a handler shares the SqlClient of a host that is written with Effect, and leaves that open", async () => {
    const runtime = ManagedRuntime.make(
      Database.layer({ url: Redacted.make(urls.DATABASE_URL), prepare: urls.prepare })
    )
    onTestFinished(() => runtime.dispose())
    const sql = await runtime.runPromise(SqlClient.SqlClient)
    const { dispose, handler } = createHandler({ sql, authenticate })
    expect((await sender(handler, "alice")("GET", "/v1/me")).status).toBe(200)
    await dispose()
    expect(await Effect.runPromise(sql`select 1 as one`)).toEqual([{ one: 1 }])
  })

  it("a handler with hooks of its own answers a refusal 409 and an exception 500, and reports that only to the host", async () => {
    const reports: Array<Report> = []
    const { dispose, handler } = createHandler({
      ...database(),
      authenticate,
      onError: (report) => reports.push(report),
      log: () => {},
      hooks: {
        before: (_, [request], { refuse }) => {
          if (request?.op === "delete") refuse("month-closed", "The month is closed")
          if (request?.op === "move") throw new Error("canary")
        }
      }
    })
    onTestFinished(dispose)
    const send = sender(handler, `user-${randomUUID()}`)
    const { body } = await send("POST", "/v1/todos", { title: "a" })
    expect(await send("DELETE", `/v1/todos/${body.id}`)).toMatchObject({
      status: 409,
      body: { code: "conflict", reason: "refused", refusal: "month-closed", detail: "The month is closed" }
    })
    const broken = await send("POST", `/v1/todos/${body.id}/move`, { after: body.id })
    expect(broken).toMatchObject({ status: 500, body: { code: "internal" } })
    expect(JSON.stringify(broken)).not.toContain("canary")
    expect(reports).toMatchObject([{ errors: [{ message: "canary" }] }])
    expect((await send("GET", "/v1/me")).body).toMatchObject({ revision: 1, counts: { open: 1 } })
  })

  it.each([
    ["url", {}],
    ["sql", { sql: { query: () => {} } }],
    ["sql", { sql: () => {} }],
    ["todos", { todos: {} }],
    ["sql", { url: "postgres://a@b/c", sql: () => {} }],
    ["todos", { url: "postgres://a@b/c", todos: {} }],
    ["hooks", { url: "postgres://a@b/c", hooks: { befor: () => {} } }],
    ["hooks", { url: "postgres://a@b/c", hooks: () => {} }]
  ])("a handler refuses a %s that cannot be shared: %o", (name, options) => {
    expect(() => createHandler({ authenticate, ...options } as never)).toThrow(new RegExp(`^${name}: `))
  })

  it.each(["poolSize", "prepare", "schema", "hooks"])(
    "a handler refuses %s with createTodos, which has its own",
    (name) => {
      const todos = createTodos(database())
      onTestFinished(todos.close)
      const value = { poolSize: 1, prepare: false, schema: "a", hooks: {} }[name]
      const creating = () => createHandler({ authenticate, todos, [name]: value } as never)
      expect(creating).toThrow(new TypeError(`${name}: leave it out with todos; createTodos already sets it`))
    }
  )
})
