import { randomUUID } from "node:crypto"
import { assert, describe, it } from "@effect/vitest"
import { Redacted, Effect } from "effect"
import { TestClock } from "effect/testing"
import { onTestFinished, vi } from "vitest"
import { makeVerifier } from "../support/issuer.ts"
import { claims, forge, now } from "../support/testServer.ts"

const accepted = "somebody"
const refused = "Unauthorized"

describe("A verified token", () => {
  const secret = `the-secret-${randomUUID()}`
  const keys = { secrets: [Redacted.make(secret)] }
  const token = (changed = {}) => forge({ alg: "HS256" }, { ...claims(accepted), ...changed }, secret)

  /** Counts the signatures that are checked from now on. */
  const countChecks = () => {
    const spy = vi.spyOn(crypto.subtle, "verify")
    onTestFinished(() => spy.mockRestore())
    return () => spy.mock.calls.length
  }

  it.effect("a token is checked once", () =>
    Effect.gen(function* () {
      const verify = yield* makeVerifier(keys)
      const checks = countChecks()
      const [one, another] = [token(), token({ jti: "another" })]
      for (let i = 0; i < 100; i++) assert.strictEqual(yield* verify(one), accepted)
      assert.strictEqual(checks(), 1)
      yield* verify(another)
      assert.strictEqual(checks(), 2)
    })
  )

  it.effect("a cached token is refused from 5 seconds after exp on, and not before", () =>
    Effect.gen(function* () {
      const verify = yield* makeVerifier(keys)
      yield* TestClock.setTime(1_800_000_000_000)
      const short = token({ iat: 1_800_000_000, exp: 1_800_000_060 })
      const fraction = token({ iat: 1_800_000_000, exp: 1_800_000_060.5 })
      assert.strictEqual(yield* verify(short), accepted)
      assert.strictEqual(yield* verify(fraction), accepted)
      yield* TestClock.adjust("64999 millis")
      const checks = countChecks()
      assert.strictEqual(yield* verify(short), accepted)
      assert.strictEqual(checks(), 0)
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(yield* verify(short), refused)
      assert.strictEqual(yield* verify(fraction), accepted)
      yield* TestClock.adjust("500 millis")
      assert.strictEqual(yield* verify(fraction), refused)
    })
  )

  it.effect("a token has no second spelling, also when it is cached", () =>
    Effect.gen(function* () {
      const verify = yield* makeVerifier(keys)
      const good = token()
      assert.strictEqual(yield* verify(good), accepted)
      const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
      const last = `${good.slice(0, -1)}${alphabet[alphabet.indexOf(good.slice(-1)) + 1]}`
      for (const other of [`${good}=`, ` ${good}`, `${good} `, `${good}\n`, `${good}.`, last]) {
        assert.strictEqual(yield* verify(other), refused)
      }
    })
  )

  it.effect("a token is checked again after a refusal", () =>
    Effect.gen(function* () {
      const verify = yield* makeVerifier(keys)
      const early = token({ nbf: now() + 60 })
      assert.strictEqual(yield* verify(early), refused)
      yield* TestClock.adjust("60 seconds")
      assert.strictEqual(yield* verify(early), accepted)
    })
  )

  it.effect("a token is evicted after 10,000 other valid tokens, and not by invalid ones", () =>
    Effect.gen(function* () {
      const verify = yield* makeVerifier(keys)
      const first = token()
      const others = Array.from({ length: 10_000 }, (_, i) => token({ jti: String(i) }))
      yield* verify(first)
      for (const other of others.slice(1)) yield* verify(other)
      for (let i = 0; i < 100; i++) yield* verify(forge({ alg: "HS256" }, claims(accepted), `another-${secret}`))

      const checks = countChecks()
      yield* verify(first)
      assert.strictEqual(checks(), 0)
      yield* verify(others[0] ?? "")
      yield* verify(first)
      assert.strictEqual(checks(), 2)
    })
  )
})
