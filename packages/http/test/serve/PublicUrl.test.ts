import { createClient } from "@todo/http/client/promise"
import { startTestServer } from "@todo/http/testing"
import { Effect, Layer } from "effect"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { Server } from "@todo/http"
import { collector } from "../support/otlpCollector.ts"
import { pathProxy, type ProxyKind } from "../support/pathProxy.ts"
import { freePort } from "../../../../.config/freePort.ts"
import { run, settings, start, useDatabase } from "../support/program.ts"
import { claims, request, sign } from "../support/testServer.ts"

/** Starts a server behind a proxy below a path, for the tests of a block. */
const useProxied = (kind: ProxyKind, path: string) => {
  const used = { proxy: "", server: "", otherToken: "", headers: {} }
  const ends: Array<() => unknown> = []
  beforeAll(async () => {
    const proxy = await pathProxy(kind, path)
    const server = await startTestServer({ publicUrl: proxy.url })
    ends.push(server.stop, proxy.close)
    proxy.passTo(server.url)
    const headers = { authorization: `Bearer ${await server.token("alice")}` }
    Object.assign(used, { proxy: proxy.url, server: server.url, otherToken: await server.token("bob"), headers })
  })
  afterAll(() => Promise.all(ends.map((end) => end())))
  return used
}

describe.each<[ProxyKind, string]>([
  ["stripping", "/api"],
  ["keeping", "/api"],
  ["stripping", "/team-a/todo.app"],
  ["keeping", "/team-a/todo.app"],
  ["keeping", ""]
])("Behind a %s proxy, below the path '%s', the server", (kind, path) => {
  const used = useProxied(kind, path)

  it("a server behind a proxy names the public URL in Location, OpenAPI and the page at /docs, and problems have their urn", async () => {
    const { headers, proxy } = used
    const created = await request(`${proxy}/v1/todos`, "POST", { headers, json: { title: "Buy milk" } })
    expect(created.status).toBe(201)
    expect(created.headers["location"]).toBe(`${proxy}/v1/todos/${created.body.id}`)
    expect((await request(created.headers["location"] ?? "", "GET", { headers })).body).toEqual(created.body)

    const list = await request(`${proxy}/v1/lists`, "POST", { headers, json: { name: "home" } })
    expect(list.headers["location"]).toBe(`${proxy}/v1/lists/${list.body.id}`)

    expect((await request(`${proxy}/openapi.json`, "GET")).body.servers).toEqual([{ url: proxy }])

    const page = await request(`${proxy}/docs`, "GET")
    expect(page.status).toBe(200)
    expect(page.text).toContain(`"servers":[{"url":"${proxy}"}]`)
    // The page must not request anything from the root of the host, which belongs to another program.
    expect(page.text).not.toMatch(/<(script|link|img|a)\b[^>]*\b(src|href)="\/(?!\/)/)

    const missing = await request(`${proxy}/v1/nothing`, "GET", { headers })
    expect(missing).toMatchObject({ status: 404, body: { type: "urn:todo:problem:route-not-found" } })
  })

  it("a server behind a proxy answers health checks and metrics with the path and without", async () => {
    const { proxy, server } = used
    for (const name of ["/livez", "/readyz", "/metrics"]) {
      for (const base of [proxy, server, `${server}${path}`]) {
        expect([base, name, (await request(base + name, "GET")).status]).toEqual([base, name, 200])
      }
    }
  })

  it("a server behind a proxy serves the typed client, with its event stream", async () => {
    const { otherToken: token, proxy } = used
    const client = createClient({ url: proxy, token })
    const todo = await client.todos.create({ title: "Buy milk" })
    expect(await client.todos.get(todo.id)).toEqual(todo)
    for await (const { change } of client.subscribe()) {
      expect(change).toMatchObject({ kind: "todo", todo: { id: todo.id } })
      break
    }
  })
})

describe("Below the path /api, the server", () => {
  const server = { url: "", token: "" }
  let started: Awaited<ReturnType<typeof startTestServer>>
  beforeAll(async () => {
    started = await startTestServer({ publicUrl: "https://example.com/api" })
    Object.assign(server, { url: started.url, token: await started.token("alice") })
  })
  afterAll(() => started.stop())

  it.each<[string, string, number]>([
    ["the path, kept", "/api/v1/me", 200],
    ["the path, stripped", "/v1/me", 200],
    ["a query", "/api/v1/todos?limit=1", 200],
    ["the path alone", "/api", 404],
    ["the path with a slash", "/api/", 404],
    ["the path with a query", "/api?x=1", 404],
    ["a longer name", "/apiary/v1/me", 404],
    ["a longer name and no slash", "/apiv1/me", 404],
    ["another case", "/API/v1/me", 404],
    ["the path percent-encoded", "/%61pi/v1/me", 404],
    ["a percent-encoded slash", "/api%2Fv1/me", 404],
    ["the path twice", "/api/api/v1/me", 404],
    ["two slashes", "/api//v1/me", 404],
    ["a slash before it", "//api/v1/me", 404],
    ["a slash at the end", "/api/v1/me/", 404],
    ["a semicolon", "/api;x/v1/me", 404]
  ])("a server below /api answers %s (%s) with %i", async (_, path, status) => {
    const answer = await fetch(`${server.url}${path}`, { headers: { authorization: `Bearer ${server.token}` } })
    expect(answer.status).toBe(status)
    expect(await answer.json()).toMatchObject(status === 404 ? { code: "route-not-found" } : {})
  })

  it("a server below /api answers a wrong method with the Allow of the route", async () => {
    for (const method of ["DELETE", "PROPFIND"]) {
      const answer = await fetch(`${server.url}/api/v1/me`, { method })
      expect([answer.status, answer.headers.get("allow")]).toEqual([405, "GET, HEAD, OPTIONS"])
    }
  })
})

describe("TODO_PUBLIC_URL", () => {
  const urls = useDatabase()

  it("logs, metrics and spans have routes without the path, and the port of metrics answers below the path", async () => {
    const [otlp, metricsPort] = [await collector(), await freePort()]
    const program = start({
      ...settings,
      DATABASE_URL: urls.DATABASE_URL,
      TODO_PUBLIC_URL: "https://example.com/api/",
      TODO_METRICS_PORT: String(metricsPort),
      OTEL_EXPORTER_OTLP_ENDPOINT: otlp.url
    })
    const address = await program.address()
    const headers = { authorization: `Bearer ${await sign(claims("somebody"))}` }
    const { body, headers: answered } = await request(`${address}/api/v1/todos`, "POST", {
      headers,
      json: { title: "a" }
    })
    expect(answered["location"]).toBe(`https://example.com/api/v1/todos/${body.id}`)
    for (const path of ["/metrics", "/api/metrics"]) {
      const metrics = await fetch(`http://127.0.0.1:${metricsPort}${path}`)
      expect(await metrics.text()).toContain('http_requests_total{method="POST",route="/v1/todos",status="201"} 1')
    }
    expect((await fetch(`http://127.0.0.1:${metricsPort}/other/metrics`)).status).toBe(404)
    program.kill("SIGTERM")
    await program.ended
    expect(program.stdout()).toContain('"route":"/v1/todos","status":201')
    expect(otlp.received("traces")).toContain('"name":"POST /v1/todos"')
    expect(otlp.received("traces")).toContain('{"key":"http.route","value":{"stringValue":"/v1/todos"}}')
  })

  it.each(["/v1", "/v1/", "/v1/todos", "/docs", "/livez", "/metrics/x", "/openapi.json"])(
    "a public URL with the path %s, which the server has itself, stops the start",
    async (path) => {
      const first = `/${path.split("/")[1]}`
      const { ended, stderr } = await run({
        ...settings,
        ...urls,
        TODO_PUBLIC_URL: `https://example.com${path}`
      } as never)
      expect([ended, stderr]).toEqual([
        1,
        `todo: TODO_PUBLIC_URL: its path begins with ${first}, which is a path of the API itself; leave ${first} out, or choose another path\n`
      ])
    }
  )

  it("a public URL cannot be combined with a prefix", () => {
    const settings = { publicUrl: "https://example.com/api", prefix: "/api" } as never
    expect(() => Effect.runSync(Effect.scoped(Layer.build(Server.layer(settings) as never)))).toThrow(
      "prefix: leave it out"
    )
  })
})
