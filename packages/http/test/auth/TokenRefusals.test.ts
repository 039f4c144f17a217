import { assert, describe, it } from "@effect/vitest"
import { TokenVerifier } from "@todo/http"
import { Context, Duration, Effect, Layer, Logger, Metric, Redacted, References } from "effect"
import { TestClock } from "effect/testing"
import { audience, claims, forge, issuer, now, previousSecret, secret } from "../support/testServer.ts"

const header = { alg: "HS256" }
const claimFailed = "ERR_JWT_CLAIM_VALIDATION_FAILED"

/** What is wrong with a token, the token, and what the log says about it. */
const refusals: ReadonlyArray<readonly [string, () => string, code: string, claim?: string]> = [
  ["a forged signature", () => forge(header, claims("a"), "x".repeat(32)), "ERR_JWS_SIGNATURE_VERIFICATION_FAILED"],
  ["another audience", () => forge(header, { ...claims("a"), aud: "https://other.test" }), claimFailed, "aud"],
  ["another issuer", () => forge(header, { ...claims("a"), iss: "https://other.test" }), claimFailed, "iss"],
  ["an age above the limit", () => forge(header, { ...claims("a"), exp: now() + 90_000 }), claimFailed, "exp"],
  ["a subject that is no user id", () => forge(header, claims("")), claimFailed, "sub"],
  ["a past expiry", () => forge(header, { ...claims("a"), exp: now() - 60 }), "ERR_JWT_EXPIRED"],
  ["another algorithm", () => forge({ alg: "HS512" }, claims("a")), "ERR_JWKS_NO_MATCHING_KEY"],
  ["no dots", () => "canary", "ERR_JWT_INVALID"]
]

describe("The log says at debug level why a token is refused:", () => {
  const makeLog = (level: "Debug" | "Info") => {
    const lines: Array<string> = []
    const logger = Logger.layer([Logger.map(Logger.formatJson, (line) => void lines.push(line))])
    return { lines, layer: Layer.merge(logger, Layer.succeed(References.MinimumLogLevel, level)) }
  }

  const verify = Effect.fnUntraced(function* (token: string) {
    yield* TestClock.setTime(Date.now())
    const secrets = [Redacted.make(previousSecret), Redacted.make(secret)]
    const context = yield* Layer.build(TokenVerifier.layer({ secrets, issuer, audience, maxAge: Duration.hours(24) }))
    return yield* Effect.result(Context.get(context, TokenVerifier).verify(token))
  })

  it.effect.each(refusals)("%s", ([, make, code, claim]) =>
    Effect.gen(function* () {
      const { layer, lines } = makeLog("Debug")
      const token = make()
      const result = yield* verify(token).pipe(Effect.provide(layer))
      assert.strictEqual(result._tag, "Failure")
      const [line = "", ...others] = lines
      const { annotations, level, message } = JSON.parse(line)
      assert.deepStrictEqual(
        { annotations, level, message, others },
        {
          annotations: { code, ...(claim !== undefined && { claim }) },
          level: "DEBUG",
          message: "token refused",
          others: []
        }
      )
      assert.notInclude(line, token)
    })
  )

  it.effect("the log is empty at the default level", () =>
    Effect.gen(function* () {
      const { layer, lines } = makeLog("Info")
      yield* verify(forge(header, { ...claims("a"), aud: "https://other.test" })).pipe(Effect.provide(layer))
      assert.deepStrictEqual(lines, [])
    })
  )

  it.effect("the metric of signatures has the code of a refusal", () =>
    Effect.gen(function* () {
      yield* verify(forge(header, { ...claims("a"), aud: "https://other.test" }))
      const counted = yield* Metric.snapshot
      const refused = counted.find(
        ({ attributes, id }) =>
          id === "token_signatures_checked_total" &&
          attributes?.["outcome"] === "refused" &&
          attributes["code"] === claimFailed
      )
      assert.deepInclude(refused?.state, { count: 1 })
    }).pipe(
      Effect.provideServiceEffect(
        Metric.MetricRegistry,
        Effect.sync(() => new Map())
      )
    )
  )
})
