import { settingMessage, settings as known } from "@todo/core/installation"
import { ConfigProvider, Effect } from "effect"
import { describe, expect, it } from "vitest"
import { run, settings, start, useDatabase } from "../support/program.ts"
import { claims, request, sign } from "../support/testServer.ts"

/** The headers that tracing tools add to requests of an app. */
const tracing = [
  "traceparent",
  "tracestate",
  "baggage",
  "b3",
  "x-b3-traceid",
  "x-b3-spanid",
  "x-b3-parentspanid",
  "x-b3-sampled",
  "x-b3-flags",
  "sentry-trace",
  "x-datadog-trace-id",
  "x-datadog-parent-id",
  "x-datadog-origin",
  "x-datadog-sampling-priority",
  "newrelic",
  "x-amzn-trace-id",
  "x-cloud-trace-context",
  "uber-trace-id",
  "elastic-apm-traceparent",
  "x-request-id"
]

describe("TODO_CORS_ORIGINS", () => {
  const urls = useDatabase()
  const [app, other] = ["https://app.example.com", "http://localhost:5173"]
  const serve = (origins: string) =>
    start({ ...settings, DATABASE_URL: urls.DATABASE_URL, TODO_CORS_ORIGINS: origins }).address()

  it("the server lets only pages of these origins read responses, also errors", async () => {
    const address = await serve(`${app},${other}`)
    const token = { authorization: `Bearer ${await sign(claims("cors"))}` }
    for (const [origin, headers, status] of [
      [app, token, 200],
      [other, token, 200],
      [app, {}, 401]
    ] as const) {
      const answer = await request(`${address}/v1/todos`, "GET", { headers: { ...headers, origin } })
      expect(answer.status).toBe(status)
      expect(answer.headers["access-control-allow-origin"]).toBe(origin)
      expect(answer.headers["vary"]).toMatch(/origin/i)
      expect(answer.headers["access-control-expose-headers"]).toContain("etag")
      expect(answer.headers).not.toHaveProperty("access-control-allow-credentials")
    }
    for (const origin of ["https://evil.example.com", `${app}.evil.com`, "null", "HTTPS://APP.EXAMPLE.COM"]) {
      const answer = await request(`${address}/v1/todos`, "GET", { headers: { ...token, origin } })
      expect(answer.headers).not.toHaveProperty("access-control-allow-origin")
      expect(answer.headers["vary"]).toMatch(/origin/i)
    }
  })

  it("the server answers preflights without a token", async () => {
    const address = await serve(`${app},${other}`)
    const asked = ["authorization", "content-type", "idempotency-key", "if-match", ...tracing].join(",")
    const preflight = (origin: string) =>
      request(`${address}/v1/todos`, "OPTIONS", {
        headers: {
          origin,
          "access-control-request-method": "PATCH",
          "access-control-request-headers": asked
        }
      })
    const answer = await preflight(app)
    expect(answer.status).toBe(204)
    expect(answer.headers["access-control-allow-origin"]).toBe(app)
    expect(answer.headers["access-control-allow-methods"]?.split(", ")).toContain("PATCH")
    expect(answer.headers["access-control-allow-headers"]).toBe(asked)
    expect(answer.headers["vary"]?.split(/, */)).toEqual(["Origin", "Access-Control-Request-Headers"])
    expect(answer.headers["access-control-max-age"]).toBe("600")
    const refused = await preflight("https://evil.example.com")
    expect(refused).toMatchObject({ status: 204, headers: { vary: "Origin" } })
    expect(Object.keys(refused.headers).filter((name) => name.startsWith("access-control-"))).toEqual([])
  })

  it("preflights allow the headers that tracing tools add", async () => {
    const address = await serve(app)
    for (const name of tracing) {
      const headers = { origin: app, authorization: `Bearer ${await sign(claims("cors"))}`, [name]: "1" }
      const answer = await request(`${address}/v1/me`, "GET", { headers })
      expect([name, answer.status]).toEqual([name, 200])
    }
  })

  it("an OPTIONS request that is not a preflight is left to the route", async () => {
    const address = await serve(app)
    const options = await request(`${address}/v1/me`, "OPTIONS", { headers: { origin: app } })
    expect(options).toMatchObject({ status: 204, headers: { allow: "GET, HEAD, OPTIONS" } })
    expect((await request(`${address}/v1/nothing`, "OPTIONS", {})).status).toBe(404)
  })

  it.each([
    ["https://app.example.com, http://localhost:5173", "origin 2 has a space beside it"],
    [" https://app.example.com ", "the origin has a space beside it"],
    ["https://app.example.com http://localhost:5173", "the origin has a space in it"],
    ["https://app.example.com/", "the origin has a slash at its end: remove it"],
    ["https://app.example.com,http://localhost:5173/", "origin 2 has a slash at its end"],
    ["https://app.example.com/todos", "the origin has a path"],
    ["https://app.example.com?x", "the origin has a path"],
    ["*", "the origin is *: name each origin"],
    ["https://app.example.com,*", "origin 2 is *"],
    ["https://*.example.com", "the origin has a wildcard"],
    ["https://App.example.com", "the origin has upper-case letters"],
    ["HTTPS://app.example.com", "the origin has upper-case letters"],
    ["https://app.example.com:443", "the origin names the default port"],
    ["http://app.example.com:80", "the origin names the default port"],
    ["https://app.example.com:0443", "the origin names the default port"],
    ["http://app.example.com:08080", "the origin is not as browsers send it"],
    ["null", "the origin is null"],
    ["app.example.com", "the origin has no scheme"],
    ["//app.example.com", "the origin has no scheme"],
    ["localhost:5173", "the origin has no scheme"],
    ["https://", "the origin is not like https://app.example.com"],
    ["https://user:password@app.example.com", "the origin has a user name"],
    ["wss://app.example.com", "the origin is not an origin of web pages"],
    ["file:///index.html", "the origin has a path"],
    ["https://bücher.example", "the origin has letters outside of ASCII"],
    ['"https://app.example.com"', "the origin has a quotation mark"],
    ["https://app.example.com,", "origin 2 is empty"],
    ["https://app.example.com,http://a.example,https://app.example.com", "origin 3 is there twice"]
  ])("a setting that is %s stops the start and says why", (origins, why) => {
    const result = Effect.runSync(
      Effect.result(
        known.TODO_CORS_ORIGINS.pipe(
          Effect.provideService(
            ConfigProvider.ConfigProvider,
            ConfigProvider.fromEnv({ env: { TODO_CORS_ORIGINS: origins } })
          ),
          Effect.mapError(settingMessage)
        )
      )
    )
    expect(result).toMatchObject({ failure: expect.stringContaining(`TODO_CORS_ORIGINS: ${why}`) })
  })

  it("the setting accepts the origins of apps with embedded pages", async () => {
    const address = await serve("capacitor://localhost,tauri://localhost,http://[::1]:5173")
    const answer = await request(`${address}/livez`, "GET", { headers: { origin: "capacitor://localhost" } })
    expect(answer.headers["access-control-allow-origin"]).toBe("capacitor://localhost")
  })

  it("a wrong setting is named with its reason before the server starts", async () => {
    const { ended, stderr } = await run({ ...settings, DATABASE_URL: urls.DATABASE_URL, TODO_CORS_ORIGINS: `${app}/` })
    expect(ended).toBe(1)
    expect(stderr).toBe("todo: TODO_CORS_ORIGINS: the origin has a slash at its end: remove it\n")
  })
})
