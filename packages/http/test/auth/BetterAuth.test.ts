import { assert, describe, it } from "@effect/vitest"
import { betterAuth } from "better-auth"
import { memoryAdapter } from "better-auth/adapters/memory"
import { jwt } from "better-auth/plugins"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { makeEndpoint, makeVerifier } from "../support/issuer.ts"

const origin = "https://auth.test"

/** A third-party issuer: better-auth with its JWT plugin, configured like its documentation. */
const makeAuth = () => {
  const database = { user: [], session: [], account: [], verification: [], jwks: [] as Array<object> }
  const auth = betterAuth({
    baseURL: origin,
    secret: "the-secret-of-better-auth-in-a-test-0123456789",
    database: memoryAdapter(database),
    emailAndPassword: { enabled: true },
    telemetry: { enabled: false },
    logger: { disabled: true },
    plugins: [jwt()]
  })
  const ask = (path: string, init: RequestInit = {}) => auth.handler(new Request(`${origin}/api/auth/${path}`, init))
  return {
    database,
    jwks: async () => (await ask("jwks")).json() as Promise<{ keys: ReadonlyArray<object> }>,
    /** Signs a user up. Returns the id and a function that issues tokens. */
    signUp: async (email: string) => {
      const answer = await ask("sign-up/email", {
        method: "POST",
        headers: { "content-type": "application/json", origin },
        body: JSON.stringify({ name: "Somebody", email, password: "correct horse battery staple" })
      })
      const cookie = answer.headers
        .getSetCookie()
        .map((one) => one.split(";")[0])
        .join("; ")
      const { user } = await answer.json()
      const token = async (): Promise<string> => (await (await ask("token", { headers: { cookie } })).json()).token
      return { id: String(user.id), token }
    }
  }
}

describe("better-auth's JWT plugin", () => {
  it.effect("better-auth issues tokens that are accepted, also after it has rotated its key", () =>
    Effect.gen(function* () {
      const auth = makeAuth()
      const alice = yield* Effect.promise(() => auth.signUp("alice@example.com"))
      const bob = yield* Effect.promise(() => auth.signUp("bob@example.com"))
      const publish = Effect.promise(async () => endpoint.publish((await auth.jwks()).keys))
      const endpoint = yield* makeEndpoint
      yield* publish

      const verify = yield* makeVerifier({ jwksUrl: endpoint.url }, { issuer: origin, audience: origin })
      const first = yield* Effect.promise(alice.token)
      assert.match(Buffer.from(first, "base64url").toString("latin1"), /"alg":"EdDSA"/)
      assert.strictEqual(yield* verify(first), alice.id)
      assert.strictEqual(yield* verify(yield* Effect.promise(bob.token)), bob.id)
      assert.strictEqual(endpoint.requests, 1)

      auth.database.jwks.length = 0
      const second = yield* Effect.promise(alice.token)
      yield* publish
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(yield* verify(second), alice.id)
      assert.strictEqual(yield* verify(first), "Unauthorized")
      assert.strictEqual(endpoint.requests, 2)
    })
  )

  it.effect("better-auth issues tokens that another issuer's keys refuse", () =>
    Effect.gen(function* () {
      const [auth, other] = [makeAuth(), makeAuth()]
      const alice = yield* Effect.promise(() => auth.signUp("alice@example.com"))
      yield* Effect.promise(async () => (await other.signUp("alice@example.com")).token())
      const endpoint = yield* makeEndpoint
      endpoint.publish((yield* Effect.promise(other.jwks)).keys)
      const verify = yield* makeVerifier({ jwksUrl: endpoint.url }, { issuer: origin, audience: origin })
      assert.strictEqual(yield* verify(yield* Effect.promise(alice.token)), "Unauthorized")
    })
  )
})
