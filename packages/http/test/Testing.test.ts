import { createHandler } from "@todo/http"
import { startTestServer, TestTokens } from "@todo/http/testing"
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest"
import { useDatabase } from "./support/program.ts"
import { request } from "./support/testServer.ts"

describe("The test kit", () => {
  const urls = useDatabase()
  let server: Awaited<ReturnType<typeof startTestServer>>
  beforeAll(async () => {
    server = await startTestServer({ bodyLimit: 1_000 })
  })
  afterAll(() => server.stop())

  const bearer = async (token: Promise<string>) => ({ headers: { authorization: `Bearer ${await token}` } })
  const me = async (token: Promise<string>) => request(`${server.url}/v1/me`, "GET", await bearer(token))

  it("the test kit serves each user that it has signed a token for", async () => {
    const alice = await bearer(server.token("alice"))
    const todos = `${server.url}/v1/todos`
    expect((await request(todos, "POST", { ...alice, json: { title: "a" } })).status).toBe(201)
    expect((await me(server.token("alice"))).body).toMatchObject({ id: "alice", counts: { open: 1 } })
    expect((await me(server.token("bob"))).body).toMatchObject({ id: "bob", counts: { open: 0 } })
    const large = { ...alice, json: { title: "a", description: "x".repeat(1_000) } }
    expect((await request(todos, "POST", large)).status).toBe(413)
  })

  it("the test kit refuses expired tokens, and tokens of other issuers", async () => {
    expect((await me(server.token("alice", "-1 minute"))).status).toBe(401)
    expect((await me(TestTokens.make().sign("alice"))).status).toBe(401)
  })

  it("the test kit signs tokens for a handler of the host too", async () => {
    const tokens = TestTokens.make()
    const { dispose, handler } = createHandler({
      url: urls.DATABASE_URL,
      prepare: urls.prepare,
      tokens: tokens.settings
    })
    onTestFinished(dispose)
    const ask = async (token: Promise<string>) =>
      (await handler(new Request("http://host.example/v1/me", await bearer(token)))).status
    expect(await ask(tokens.sign("alice"))).toBe(200)
    expect(await ask(server.token("alice"))).toBe(401)
  })
})
