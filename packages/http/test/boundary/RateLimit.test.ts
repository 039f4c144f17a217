import { assert, describe, it } from "@effect/vitest"
import { Duration, Schema } from "effect"
import * as RateLimit from "../../src/boundary/RateLimit.ts"
import { settings, start, useDatabase } from "../support/program.ts"
import { claims, request, sign } from "../support/testServer.ts"

describe("A token bucket", () => {
  const bucket = () => RateLimit.make({ requests: 3, window: Duration.seconds(6) })

  it("a bucket holds `requests` tokens, and refills one in each share of its window", () => {
    const { take } = bucket()
    assert.deepStrictEqual(
      [0, 0, 0, 0].map((now) => take("a", now)),
      [
        { allowed: true, remaining: 2, reset: 2, retryAfter: 0 },
        { allowed: true, remaining: 1, reset: 4, retryAfter: 0 },
        { allowed: true, remaining: 0, reset: 6, retryAfter: 2 },
        { allowed: false, remaining: 0, reset: 6, retryAfter: 2 }
      ]
    )
    assert.isFalse(take("a", 1_999).allowed)
    assert.deepStrictEqual(take("a", 2_000), { allowed: true, remaining: 0, reset: 6, retryAfter: 2 })
    assert.isFalse(take("a", 2_000).allowed)
    assert.deepInclude(take("a", 1_000_000), { allowed: true, remaining: 2 })
  })

  it("a bucket belongs to one key", () => {
    const { take } = bucket()
    for (const _ of [1, 2, 3, 4]) take("a", 0)
    assert.isTrue(take("b", 0).allowed)
  })

  it("a bucket does not change when it is read", () => {
    const { look, take } = bucket()
    for (const _ of [1, 2, 3, 4]) assert.deepInclude(look("a", 0), { allowed: true, remaining: 3 })
    assert.deepInclude(take("a", 0), { remaining: 2 })
  })

  const Times = Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 5_000 })))
  it.prop("a bucket allows exactly its capacity plus what has been refilled", [Times], ([pauses]) => {
    const { take } = bucket()
    let now = 0
    // The reference model keeps the number of tokens instead of a time.
    let tokens = 3
    for (const pause of pauses) {
      now += pause
      tokens = Math.min(3, tokens + pause / 2_000)
      const { allowed, retryAfter } = take("a", now)
      // Cases that depend on rounding are skipped.
      if (Math.abs(tokens - 1) > 1e-6) assert.strictEqual(allowed, tokens > 1)
      if (allowed) tokens--
      else assert.strictEqual(retryAfter, Math.ceil((1 - tokens) * 2 - 1e-6))
    }
  })
})

describe("The network of an address", () => {
  it.each([
    ["192.0.2.7", "192.0.2.7"],
    ["::ffff:192.0.2.7", "192.0.2.7"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2"],
    ["2001:db8::6", "2001:db8:0:0"],
    ["2001:db8:1:2::", "2001:db8:1:2"],
    ["::1", "0:0:0:0"],
    ["1::5:6:7:8:9:a", "1:0:5:6"]
  ])("the network of %s is %s", (address, network) => {
    assert.strictEqual(RateLimit.networkOf(address), network)
  })
})

describe("TODO_RATE_LIMIT", () => {
  const urls = useDatabase()
  const serve = (environment: Record<string, string> = {}) =>
    start({
      ...settings,
      DATABASE_URL: urls.DATABASE_URL,
      TODO_MIGRATE_URL: urls.TODO_MIGRATE_URL,
      ...environment
    }).address()
  const as = async (user: string) => ({ headers: { authorization: `Bearer ${await sign(claims(user))}` } })
  const todos = "/v1/todos"

  it("the limit refuses one user with Retry-After, and not the others", async () => {
    const address = await serve({ TODO_RATE_LIMIT: "3/hour" })
    const [mine, theirs] = [await as("limited-a"), await as("limited-b")]
    for (const remaining of [2, 1, 0]) {
      const answer = await request(address + todos, "GET", mine)
      assert.strictEqual(answer.status, 200)
      assert.strictEqual(answer.headers["ratelimit-policy"], '"user";q=3;w=3600')
      assert.match(answer.headers["ratelimit"] ?? "", new RegExp(`^"user";r=${remaining};t=\\d+$`))
    }
    const refused = await request(address + todos, "GET", mine)
    assert.deepInclude(refused, { status: 429 })
    assert.deepInclude(refused.body, { code: "rate-limited", status: 429 })
    assert.isAtLeast(Number(refused.headers["retry-after"]), 1_190)
    assert.match(refused.headers["ratelimit"] ?? "", /^"user";r=0;t=\d+$/)
    assert.strictEqual((await request(address + todos, "GET", theirs)).status, 200)
    // The limit belongs to the user, not to the token.
    const other = await sign({ ...claims("limited-a"), jti: "another" })
    const again = { headers: { authorization: `Bearer ${other}` } }
    assert.strictEqual((await request(address + todos, "GET", again)).status, 429)
    for (const path of ["/livez", "/readyz"]) assert.strictEqual((await request(address + path, "GET")).status, 200)
    assert.match((await request(`${address}/metrics`, "GET")).text, /http_requests_limited_total\{scope="user"\} 2/)
  })

  it("the limit refuses the unverified tokens of an address that sent invalid ones, and accepts verified tokens", async () => {
    const address = await serve({ TODO_RATE_LIMIT: "3/hour" })
    const known = await as("known")
    assert.strictEqual((await request(address + todos, "GET", known)).status, 200)
    const bad = { headers: { authorization: "Bearer bad" } }
    for (const sent of [bad, {}, bad]) assert.strictEqual((await request(address + todos, "GET", sent)).status, 401)
    const refused = await request(address + todos, "GET", bad)
    assert.deepInclude(refused, { status: 429 })
    assert.isDefined(refused.headers["retry-after"])
    assert.strictEqual((await request(address + todos, "GET", await as("new"))).status, 429)
    assert.strictEqual((await request(address + todos, "GET", known)).status, 200)
    assert.match((await request(`${address}/metrics`, "GET")).text, /http_requests_limited_total\{scope="address"\} 2/)
  })

  it("the limit is off by default, except in production", async () => {
    const answer = await request((await serve()) + todos, "GET", await as("free"))
    assert.strictEqual(answer.status, 200)
    assert.notProperty(answer.headers, "ratelimit")
    const production = await request((await serve({ NODE_ENV: "production" })) + todos, "GET", await as("free"))
    assert.strictEqual(production.headers["ratelimit-policy"], '"user";q=60000;w=60')
    const off = await serve({ NODE_ENV: "production", TODO_RATE_LIMIT: "off" })
    assert.notProperty((await request(off + todos, "GET", await as("free"))).headers, "ratelimit")
  })
})
