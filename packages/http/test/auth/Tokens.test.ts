/* oxlint-disable vitest/expect-expect -- expectRefused asserts */
import { randomUUID } from "node:crypto"
import { describe, expect, it } from "vitest"
import { invalidTokens, sized } from "../support/invalidTokens.ts"
import { useServers } from "../support/liveServer.ts"
import {
  type Answer,
  audience,
  claims,
  forge,
  now,
  previousSecret,
  request,
  sign,
  useServer
} from "../support/testServer.ts"

describe("Tokens", () => {
  const server = useServer()

  const get = (authorization?: string) =>
    server.send("GET", "/v1/todos", authorization === undefined ? {} : { headers: { authorization } })

  const expectRefused = ({ body, headers, status }: Answer, challenge: string) => {
    expect({ status, challenge: headers["www-authenticate"], type: headers["content-type"] }).toEqual({
      status: 401,
      challenge,
      type: "application/problem+json"
    })
    expect(body).toEqual({
      type: "urn:todo:problem:unauthorized",
      title: "Unauthorized",
      status: 401,
      detail: expect.any(String),
      code: "unauthorized",
      requestId: headers["x-request-id"]
    })
  }
  const missing = 'Bearer realm="todo"'
  const invalid = 'Bearer realm="todo", error="invalid_token"'

  it("a request without a token gets a challenge without an error code (RFC 6750, 3)", async () => {
    expectRefused(await get(), missing)
  })

  it.each(invalidTokens)("the server refuses %s", async (_, make) => {
    const token = make()
    const answer = await get(`Bearer ${token}`)
    expectRefused(answer, invalid)
    expect(answer.text).not.toContain(token)
    // A second request must not find it in the cache.
    expectRefused(await get(`Bearer ${token}`), invalid)
  })

  it("the unchanged token is accepted, so each change alone causes the refusal", async () => {
    expect((await get(`Bearer ${forge({ alg: "HS256" }, claims("somebody"))}`)).status).toBe(200)
  })

  describe("in a header", () => {
    const token = sign(claims(`user-${randomUUID()}`))

    it.each(["Bearer ", "bearer ", "BEARER ", "bEaReR "])("a token is accepted with the scheme %s", async (scheme) => {
      expect((await get(scheme + (await token))).status).toBe(200)
    })

    it.each([
      ["no token", () => "Bearer"],
      ["quotes", (token: string) => `Bearer "${token}"`],
      ["a name", (token: string) => `Bearer token=${token}`],
      ["two tokens", (token: string) => `Bearer ${token} ${token}`],
      ["two tokens and a comma", (token: string) => `Bearer ${token}, Bearer ${token}`],
      ["a comma behind", (token: string) => `Bearer ${token},`],
      ["a parameter behind", (token: string) => `Bearer ${token}, realm="todo"`],
      ["the scheme twice", (token: string) => `Bearer Bearer ${token}`],
      ["a tab for the space", (token: string) => `Bearer\t${token}`],
      ["a tab after the space", (token: string) => `Bearer \t${token}`]
    ])("a token is refused with %s", async (_, header) => {
      expectRefused(await get(header(await token)), invalid)
    })

    // RFC 6750, 3.1: a request with another scheme gets no error code.
    it.each([
      ["Basic", (token: string) => `Basic ${token}`],
      ["Basic credentials", () => `Basic ${btoa("user:password")}`],
      ["Digest", (token: string) => `Digest ${token}`],
      ["DPoP", (token: string) => `DPoP ${token}`],
      ["Token", (token: string) => `Token ${token}`],
      ["a scheme that begins like it", (token: string) => `Bearerx ${token}`],
      ["no scheme", (token: string) => token],
      ["no space", (token: string) => `Bearer${token}`],
      ["a colon", (token: string) => `Bearer: ${token}`],
      ["an equals sign", (token: string) => `Bearer=${token}`],
      ["another scheme in front", (token: string) => `Basic x, Bearer ${token}`],
      ["nothing in it", () => ""]
    ])("a token is requested if the header has %s", async (_, header) => {
      expectRefused(await get(header(await token)), missing)
    })

    it("a token is accepted after more than one space (RFC 9110, 11.4)", async () => {
      expect((await get(`Bearer  ${await token}`)).status).toBe(200)
    })

    it("a token is not read from a query, a cookie or another header", async () => {
      expectRefused(await server.send("GET", `/v1/todos?access_token=${await token}`), missing)
      const sent = { headers: { cookie: `authorization=${await token}`, "x-access-token": await token } }
      expectRefused(await server.send("GET", "/v1/todos", sent), missing)
    })
  })

  it.each([
    ["255 characters", "x".repeat(254) + "é"],
    ["255 emoji", "😀".repeat(255)],
    ["one character", "x"],
    ["an address", "auth0|5f7c8ec7c33c6c004bbafe82@example.com"],
    ["white space", " a b "],
    ["quotes and percent signs", `'"%_\\;--`],
    ["text to the right and to the left", "שלום‏ hello"],
    ["the name of a property", "__proto__"],
    ["a number as text", "0"]
  ])("a token with a sub of %s is accepted, and its todos are its own", async (_, sub) => {
    const token = await sign(claims(sub))
    const send = (method: string, json?: unknown) =>
      server.send(method, "/v1/todos", {
        ...(json !== undefined && { json }),
        headers: { authorization: `Bearer ${token}` }
      })
    expect((await send("POST", { title: "mine" })).status).toBe(201)
    expect((await send("GET")).body.items).toHaveLength(1)
    expect((await server.sql("select id from todo.users where id = $1", sub)).length).toBe(1)
  })

  it.each([
    ["exp exactly 24 hours after iat", () => ({ iat: now(), exp: now() + 86_400 })],
    ["exp 2 seconds ago, within the tolerance", () => ({ iat: now() - 100, exp: now() - 2 })],
    ["iat 3 seconds ahead, within the tolerance", () => ({ iat: now() + 3, exp: now() + 100 })],
    ["nbf 3 seconds ahead, within the tolerance", () => ({ nbf: now() + 3 })],
    ["fractions of a second", () => ({ iat: now() - 0.5, exp: now() + 99.5 })],
    ["several audiences", () => ({ aud: ["https://elsewhere.test", audience] })],
    ["claims that nobody knows", () => ({ scope: "todo", nested: { a: [1] }, jti: "1" })]
  ])("a token with %s is accepted", async (_, changed) => {
    const token = await sign({ ...claims(`user-${randomUUID()}`), ...changed() })
    expect((await get(`Bearer ${token}`)).status).toBe(200)
  })

  it("a token of 8,192 characters is accepted", async () => {
    const token = sized(8_192)
    expect(token).toHaveLength(8_192)
    expect((await get(`Bearer ${token}`)).status).toBe(200)
  })

  it.each([{ typ: "JWT" }, { typ: "at+jwt" }, { kid: "unknown" }])(
    "a token with the header %o is accepted",
    async (header) => {
      expect((await get(`Bearer ${forge({ alg: "HS256", ...header }, claims("somebody"))}`)).status).toBe(200)
    }
  )

  describe("Without the database", () => {
    const servers = useServers()

    it(`none of ${invalidTokens.length} invalid tokens causes a statement`, async () => {
      const counted = await servers.start()
      const ask = (token: string) =>
        request(`${counted.url}/v1/me`, "GET", { headers: { authorization: `Bearer ${token}` } })
      const before = counted.count("")
      for (const [, make] of invalidTokens) await ask(make())
      expect(counted.count("")).toBe(before)
      // A valid token causes statements, so the count works.
      await ask(await sign(claims("somebody")))
      expect(counted.count("")).toBeGreaterThan(before)
    })
  })

  it("a token signed with the secret before the current one is accepted, for the same user", async () => {
    const me = await server.user()
    const { id } = await me.add()
    const authorization = `Bearer ${await sign(claims(me.id), previousSecret)}`
    expect((await server.send("GET", `/v1/todos/${id}`, { headers: { authorization } })).status).toBe(200)
  })

  it("the server does not cache a token beyond its expiry", async () => {
    // The token stays within the tolerance for 2 to 3 s, and is refused afterwards.
    const token = await sign({ ...claims("somebody"), iat: now() - 60, exp: now() - 2 })
    expect((await get(`Bearer ${token}`)).status).toBe(200)
    await expect.poll(async () => (await get(`Bearer ${token}`)).status, { timeout: 10_000, interval: 100 }).toBe(401)
  })
})
