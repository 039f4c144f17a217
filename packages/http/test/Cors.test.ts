import { describe, expect, it } from "vitest"
import { settings, start, useDatabase } from "./program.ts"
import { claims, request, sign } from "./testServer.ts"

describe("TODO_CORS_ORIGINS", () => {
  const urls = useDatabase()
  const [app, other] = ["https://app.example.com", "http://localhost:5173"]
  const serve = (origins: string) =>
    start({ ...settings, DATABASE_URL: urls.DATABASE_URL, TODO_CORS_ORIGINS: origins }).address()

  it("lets pages of these origins read answers, errors too, and no others", async () => {
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

  it("answers preflights, without a token", async () => {
    const address = await serve(`${app},${other}`)
    const preflight = (origin: string) =>
      request(`${address}/v1/todos`, "OPTIONS", {
        headers: {
          origin,
          "access-control-request-method": "PATCH",
          "access-control-request-headers": "authorization,content-type,if-match"
        }
      })
    const answer = await preflight(app)
    expect(answer.status).toBe(204)
    expect(answer.headers["access-control-allow-origin"]).toBe(app)
    expect(answer.headers["access-control-allow-methods"]?.split(", ")).toContain("PATCH")
    expect(answer.headers["access-control-allow-headers"]?.split(",")).toEqual(
      expect.arrayContaining(["authorization", "content-type", "if-match", "idempotency-key", "last-event-id"])
    )
    expect(answer.headers["access-control-max-age"]).toBe("600")
    expect((await preflight("https://evil.example.com")).headers).not.toHaveProperty("access-control-allow-origin")
  })

  it("leaves OPTIONS that is no preflight to the route", async () => {
    const address = await serve(app)
    const options = await request(`${address}/v1/me`, "OPTIONS", { headers: { origin: app } })
    expect(options).toMatchObject({ status: 204, headers: { allow: "GET, HEAD, OPTIONS" } })
    expect((await request(`${address}/v1/nothing`, "OPTIONS", {})).status).toBe(404)
  })
})
