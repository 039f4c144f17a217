import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { onTestFinished, vi } from "vitest"
import { algs, elapse, makeEndpoint, makeKey, makeVerifier, setUpEndpoint, until } from "../support/issuer.ts"
import { claims, forge } from "../support/testServer.ts"

const accepted = "somebody"
const refused = "Unauthorized"
const unavailable = "Unavailable"

const [a, b, c] = [makeKey("EdDSA", "a"), makeKey("EdDSA", "b"), makeKey("ES256", "c")]

describe("Keys at a URL", () => {
  it.effect("keys at a URL verify tokens of each algorithm, and are fetched once", () =>
    Effect.gen(function* () {
      const keys = algs.map((alg) => makeKey(alg, alg))
      const { endpoint, verify } = yield* setUpEndpoint(...keys.map(({ jwk }) => jwk))
      const tokens = keys.flatMap(({ token }) => [token(), token({ claims: { jti: "2" } })])
      assert.deepStrictEqual([...new Set(yield* Effect.forEach(tokens, verify))], [accepted])
      assert.strictEqual(yield* verify(makeKey("RS256", "RS256").token()), refused)
      assert.strictEqual(endpoint.requests, 1)
    })
  )

  it.effect("keys are fetched at once for a new kid", () =>
    Effect.gen(function* () {
      const { endpoint, verify } = yield* setUpEndpoint(a.jwk)
      yield* TestClock.adjust("10 seconds")
      endpoint.publish([a.jwk, b.jwk])
      assert.strictEqual(yield* verify(b.token()), accepted)
      assert.strictEqual(yield* verify(a.token()), accepted)
      assert.strictEqual(endpoint.requests, 2)
    })
  )

  it.effect("keys are fetched at most once in 10 seconds for unknown kids", () =>
    Effect.gen(function* () {
      const { endpoint, verify } = yield* setUpEndpoint(a.jwk)
      yield* TestClock.adjust("10 seconds")
      const ask = Effect.forEach(Array.from({ length: 50 }), (_, i) => verify(b.token({ header: { kid: `x${i}` } })), {
        concurrency: "unbounded"
      })
      for (const expected of [2, 2, 3]) {
        assert.deepStrictEqual([...new Set(yield* ask)], [refused])
        assert.strictEqual(endpoint.requests, expected)
        yield* TestClock.adjust("5 seconds")
      }
    })
  )

  it.effect("keys are not fetched for tokens that no key of them could have signed", () =>
    Effect.gen(function* () {
      const { endpoint, verify } = yield* setUpEndpoint(a.jwk)
      yield* TestClock.adjust("10 seconds")
      for (const alg of ["none", "HS256", "RS512", "x"]) {
        assert.strictEqual(yield* verify(forge({ alg, kid: "new" }, claims(accepted))), refused)
      }
      assert.strictEqual(yield* verify(c.token({ header: { kid: undefined } })), refused)
      assert.strictEqual(endpoint.requests, 1)
    })
  )

  it.effect("keys are not fetched more often when callers are interrupted", () =>
    Effect.gen(function* () {
      const { endpoint, verify } = yield* setUpEndpoint(a.jwk)
      yield* TestClock.adjust("10 seconds")
      endpoint.answer = () => {}
      for (let i = 0; i < 10; i++) {
        const asking = yield* Effect.forkChild(verify(b.token()))
        yield* until(() => Effect.succeed(endpoint.requests > 1))
        yield* Fiber.interrupt(asking)
      }
      assert.strictEqual(endpoint.requests, 2)
    })
  )

  it.effect("tokens of a removed key are refused within 60 seconds, also tokens that were verified before", () =>
    Effect.gen(function* () {
      const { endpoint, verify } = yield* setUpEndpoint(a.jwk, b.jwk)
      const [gone, stays] = [a.token(), b.token()]
      assert.deepStrictEqual(yield* Effect.forEach([gone, stays], verify), [accepted, accepted])
      endpoint.publish([b.jwk])
      yield* elapse(endpoint, 59)
      assert.strictEqual(yield* verify(gone), refused)
      assert.strictEqual(yield* verify(a.token({ claims: { jti: "new" } })), refused)
      assert.strictEqual(yield* verify(stays), accepted)
    })
  )

  it.effect("tokens of a removed key are refused also if one fetch fails, and if the set is empty", () =>
    Effect.gen(function* () {
      const { endpoint, verify } = yield* setUpEndpoint(a.jwk, b.jwk)
      const gone = a.token()
      assert.strictEqual(yield* verify(gone), accepted)
      endpoint.answer = ({ socket }) => {
        socket.destroy()
        endpoint.publish([])
      }
      yield* elapse(endpoint, 59)
      assert.strictEqual(yield* verify(gone), refused)
    })
  )

  it.effect("tokens of an unchanged key stay in the cache after a refresh", () =>
    Effect.gen(function* () {
      const { endpoint, verify } = yield* setUpEndpoint(a.jwk)
      const token = a.token()
      yield* verify(token)
      const checks = vi.spyOn(crypto.subtle, "verify")
      onTestFinished(() => checks.mockRestore())
      endpoint.publish([b.jwk, a.jwk])
      yield* elapse(endpoint, 30)
      assert.strictEqual(yield* verify(token), accepted)
      assert.strictEqual(checks.mock.calls.length, 0)
      assert.strictEqual(yield* verify(b.token()), accepted)
    })
  )

  it.effect("keys stay while the issuer is down, and are fetched when it is back", () =>
    Effect.gen(function* () {
      const { endpoint, verify } = yield* setUpEndpoint(a.jwk)
      endpoint.stop()
      for (let i = 0; i < 10; i++) {
        yield* TestClock.adjust("60 seconds")
        assert.strictEqual(yield* verify(a.token({ claims: { jti: String(i) } })), accepted)
        assert.strictEqual(yield* verify(b.token()), refused)
      }
      assert.isAbove(endpoint.requests, 10)
      endpoint.publish([b.jwk])
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(yield* verify(b.token()), accepted)
      assert.strictEqual(yield* verify(a.token({ claims: { jti: "new" } })), refused)
    })
  )

  it.effect("verification is unavailable if keys were never fetched; malformed tokens are still refused", () =>
    Effect.gen(function* () {
      const endpoint = yield* makeEndpoint
      endpoint.stop()
      const verify = yield* makeVerifier({ jwksUrl: endpoint.url })
      assert.strictEqual(yield* verify(a.token()), unavailable)
      for (const bad of [
        "x",
        "a.b.c",
        "",
        `${a.token()}=`,
        forge({ alg: "HS256" }, claims(accepted)),
        a.token({ header: { crit: ["x"] } })
      ]) {
        assert.strictEqual(yield* verify(bad), refused)
      }
      endpoint.publish([a.jwk])
      yield* TestClock.adjust("3 seconds")
      assert.strictEqual(yield* verify(a.token()), accepted)
    })
  )

  it.effect("a fetch that takes more than 3 seconds delays no request further", () =>
    Effect.gen(function* () {
      const endpoint = yield* makeEndpoint
      endpoint.answer = () => {}
      const verify = yield* makeVerifier({ jwksUrl: endpoint.url })
      const asking = yield* Effect.forkChild(verify(a.token()))
      yield* until(() => Effect.succeed(endpoint.requests > 0))
      yield* TestClock.adjust("3 seconds")
      assert.strictEqual(yield* Fiber.join(asking), unavailable)
    })
  )

  it.effect("known keys are used while others are fetched", () =>
    Effect.gen(function* () {
      const { endpoint, verify } = yield* setUpEndpoint(a.jwk)
      yield* TestClock.adjust("10 seconds")
      endpoint.answer = (_, response) => void response.write('{"keys":[')
      const asking = yield* Effect.forkChild(verify(b.token()))
      yield* until(() => Effect.succeed(endpoint.requests > 1))
      assert.strictEqual(yield* verify(a.token()), accepted)
      assert.strictEqual(yield* verify(a.token({ claims: { jti: "2" } })), accepted)
      yield* TestClock.adjust("3 seconds")
      assert.strictEqual(yield* Fiber.join(asking), refused)
    })
  )

  const weak = { ...makeKey("RS256", "weak").jwk, n: Buffer.alloc(128, 0xff).toString("base64url") }
  it.effect("good keys are used although the set has unusable keys", () =>
    Effect.gen(function* () {
      const others = [
        null,
        1,
        {},
        { kty: "oct", kid: "secret", k: "c2VjcmV0" },
        { kty: "EC", crv: "P-384", kid: "p384", x: "AA", y: "AA" },
        { kty: "EC", crv: "P-256", kid: "broken", x: "AA", y: "AA" },
        { ...b.jwk, use: "enc" },
        { ...c.jwk, alg: "ES512" },
        weak
      ]
      const { verify } = yield* setUpEndpoint(...(others as ReadonlyArray<object>), a.jwk)
      assert.strictEqual(yield* verify(a.token()), accepted)
      assert.strictEqual(yield* verify(b.token()), refused)
      assert.strictEqual(yield* verify(c.token()), refused)
    })
  )
})
