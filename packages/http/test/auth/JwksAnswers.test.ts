import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { makeKey, setUpEndpoint, until } from "../support/issuer.ts"

const refused = "Unauthorized"
const accepted = "somebody"
const [a, b] = [makeKey("EdDSA", "a"), makeKey("EdDSA", "b")]

describe("An invalid response does not replace the key set:", () => {
  const forged = JSON.stringify({ keys: [b.jwk] })
  const answers: ReadonlyArray<
    readonly [name: string, status: number, body: string, headers?: Record<string, string>]
  > = [
    ["status 500", 500, forged],
    ["status 204", 204, ""],
    ["a redirect", 302, forged, { location: "/elsewhere" }],
    ["a permanent redirect", 308, "", { location: "/elsewhere" }],
    ["nothing", 200, ""],
    ["HTML", 200, "<html>"],
    ["half of it", 200, forged.slice(0, -3)],
    ["null", 200, "null"],
    ["a list", 200, `[${JSON.stringify(b.jwk)}]`],
    ["an object without keys", 200, "{}"],
    ["keys that are no list", 200, '{"keys":{}}'],
    ["100 KB", 200, forged + " ".repeat(100_000)],
    ["a compressed set that is not", 200, forged, { "content-encoding": "gzip" }]
  ]

  for (const [name, status, body, headers = {}] of answers) {
    it.effect(`an invalid response does not replace the key set: ${name}`, () =>
      Effect.gen(function* () {
        const { endpoint, verify } = yield* setUpEndpoint(a.jwk)
        yield* TestClock.adjust("10 seconds")
        endpoint.answer = ({ url }, response) =>
          url === "/jwks" ? response.writeHead(status, headers).end(body) : response.end(forged)
        assert.strictEqual(yield* verify(b.token()), refused)
        assert.strictEqual(yield* verify(a.token({ claims: { jti: "2" } })), accepted)
        assert.strictEqual(endpoint.requests, 2)
      })
    )
  }

  it.effect("an endless response is not read to its end", () =>
    Effect.gen(function* () {
      const { endpoint, verify } = yield* setUpEndpoint(a.jwk)
      yield* TestClock.adjust("10 seconds")
      let isClosed = false
      endpoint.answer = (_, response) => {
        const write = () => void (response.destroyed || (response.write(" ".repeat(10_000)), setImmediate(write)))
        response.once("close", () => (isClosed = true))
        write()
      }
      assert.strictEqual(yield* verify(b.token()), refused)
      yield* until(() => Effect.succeed(isClosed))
    })
  )
})
