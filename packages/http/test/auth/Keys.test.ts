import { createHmac, createSecretKey, generateKeyPairSync, randomUUID } from "node:crypto"
import { assert, describe, it } from "@effect/vitest"
import { PublicKeys } from "@todo/http"
import { Effect, Redacted } from "effect"
import { algs, elapse, type IssuerKey, makeKey, makeVerifier, setUpEndpoint } from "../support/issuer.ts"
import { claims, forge, now } from "../support/testServer.ts"

const publicKeys = (text: string) => Effect.map(PublicKeys.fromText(text), (publicKeys) => ({ publicKeys }))
const secrets = (...texts: ReadonlyArray<string>) => ({ secrets: texts.map((text) => Redacted.make(text)) })

const accepted = "somebody"
const refused = "Unauthorized"

const forms: ReadonlyArray<readonly [name: string, text: (key: IssuerKey) => string]> = [
  ["PEM", ({ pem }) => pem],
  ["PEM in one line", ({ pem }) => pem.replaceAll("\n", "\\n")],
  ["JWK", ({ jwk }) => JSON.stringify(jwk)],
  ["JWK that says what it is for", ({ alg, jwk }) => JSON.stringify({ ...jwk, alg, use: "sig", key_ops: ["verify"] })],
  ["JWK set", ({ jwk }) => JSON.stringify({ keys: [jwk] })]
]

describe.each(algs)("A public key for %s", (alg) => {
  const key = makeKey(alg)
  const another = makeKey(alg)

  for (const [name, text] of forms) {
    it.effect(`a public key in the form of a ${name} verifies only its own tokens`, () =>
      Effect.gen(function* () {
        const verify = yield* makeVerifier(yield* publicKeys(text(key)))
        assert.strictEqual(yield* verify(key.token()), accepted)
        assert.strictEqual(yield* verify(key.token({ claims: { sub: "another" } })), "another")
        assert.strictEqual(yield* verify(another.token()), refused)
        assert.strictEqual(yield* verify(key.token({ claims: { iss: "https://elsewhere.test" } })), refused)
        assert.strictEqual(yield* verify(key.token({ claims: { exp: now() - 10 } })), refused)
      })
    )
  }

  it.effect("a public key cannot be used as an HS256 secret, in any of its encodings", () =>
    Effect.gen(function* () {
      const { n, x } = key.jwk
      const known = [key.pem, key.pem.trim(), JSON.stringify(key.jwk), n ?? x ?? ""]
      const der = key.publicKey.export({ format: "der", type: "spki" })
      const verify = yield* makeVerifier(yield* publicKeys(key.pem))
      for (const secret of [...known, der.toString("latin1")]) {
        assert.strictEqual(yield* verify(forge({ alg: "HS256" }, claims(accepted), secret)), refused)
      }
      const text = forge({ alg: "HS256" }, claims(accepted)).split(".").slice(0, 2).join(".")
      const signature = createHmac("sha256", createSecretKey(der)).update(text).digest("base64url")
      assert.strictEqual(yield* verify(`${text}.${signature}`), refused)
    })
  )

  it.effect("a public key verifies its own algorithm only", () =>
    Effect.gen(function* () {
      const verify = yield* makeVerifier(yield* publicKeys(key.pem))
      const names = ["none", "HS256", "PS256", "RS384", "RS512", "ES384", "Ed448", alg.toLowerCase(), ...algs]
      if (alg !== "EdDSA") names.push("Ed25519")
      for (const name of names.filter((name) => name !== alg)) {
        assert.strictEqual(yield* verify(key.token({ header: { alg: name } })), refused, name)
      }
    })
  )
})

describe("Ed25519", () => {
  const key = makeKey("EdDSA", "a")
  const named = (alg: string | undefined) => JSON.stringify({ ...key.jwk, alg })
  const texts: ReadonlyArray<readonly [name: string, text: string]> = [
    ["PEM", key.pem],
    ["JWK", named(undefined)],
    ["JWK for EdDSA", named("EdDSA")],
    ["JWK for Ed25519", named("Ed25519")],
    ["JWK set", JSON.stringify({ keys: [{ ...key.jwk, alg: "Ed25519" }, makeKey("ES256", "b").jwk] })]
  ]
  for (const [name, text] of texts) {
    it.effect(`Ed25519 names the algorithm as EdDSA does (RFC 9864), with a key from a ${name}`, () =>
      Effect.gen(function* () {
        const verify = yield* makeVerifier(yield* publicKeys(text))
        for (const alg of ["EdDSA", "Ed25519"])
          assert.strictEqual(yield* verify(key.token({ header: { alg } })), accepted)
        for (const alg of ["Ed448", "ed25519", "ED25519", "Ed25519 ", "Ed25519ph", "HS256", "none"]) {
          assert.strictEqual(yield* verify(key.token({ header: { alg } })), refused, alg)
        }
      })
    )
  }

  it.effect("Ed25519 names the algorithm with a key from a URL, also one that is new", () =>
    Effect.gen(function* () {
      const { endpoint, verify } = yield* setUpEndpoint({ ...key.jwk, alg: "Ed25519" })
      assert.strictEqual(yield* verify(key.token({ header: { alg: "Ed25519" } })), accepted)
      const next = makeKey("EdDSA", "next")
      endpoint.publish([next.jwk])
      yield* elapse(endpoint, 11)
      assert.strictEqual(yield* verify(next.token({ header: { alg: "Ed25519" } })), accepted)
    })
  )

  it.effect("Ed25519 does not name the algorithm of another key", () =>
    Effect.gen(function* () {
      for (const alg of ["RS256", "ES256"] as const) {
        const other = makeKey(alg, "a")
        const verify = yield* makeVerifier(yield* publicKeys(JSON.stringify({ keys: [other.jwk] })))
        assert.strictEqual(yield* verify(other.token({ header: { alg: "Ed25519" } })), refused)
        assert.strictEqual(yield* verify(key.token({ header: { alg: "Ed25519" } })), refused)
        const mislabelled = PublicKeys.fromText(JSON.stringify({ ...other.jwk, alg: "Ed25519" }))
        assert.strictEqual((yield* Effect.flip(mislabelled))._tag, "UnusableKey")
      }
      const secret = makeVerifier(secrets("a".repeat(16) + randomUUID()))
      assert.strictEqual(yield* (yield* secret)(key.token({ header: { alg: "Ed25519" } })), refused)
      // The token is signed with the public key as HS256 secret.
      const verify = yield* makeVerifier(yield* publicKeys(key.pem))
      assert.strictEqual(yield* verify(forge({ alg: "Ed25519" }, claims(accepted), key.pem)), refused)
    })
  )
})

describe("A key set in a setting", () => {
  const good = makeKey("ES256", "good")
  const others: Record<string, object | null> = {
    'use: "enc"': { ...makeKey("RS256", "a").jwk, use: "enc" },
    "RSA-OAEP": { ...makeKey("RS256", "a").jwk, alg: "RSA-OAEP-256" },
    "ECDH-ES": { ...makeKey("ES256", "a").jwk, alg: "ECDH-ES+A256KW" },
    X25519: { ...generateKeyPairSync("x25519").publicKey.export({ format: "jwk" }), kid: "a" },
    "P-384": { ...generateKeyPairSync("ec", { namedCurve: "P-384" }).publicKey.export({ format: "jwk" }), kid: "a" },
    PS256: { ...makeKey("RS256", "a").jwk, alg: "PS256" },
    key_ops: { ...makeKey("RS256", "a").jwk, key_ops: ["encrypt", "wrapKey"] },
    "an unknown kty": { kty: "AKP", alg: "ML-DSA-44", pub: "AAAA", kid: "a" },
    "a secret": { kty: "oct", k: "AAAA", kid: "a" },
    "no key": null
  }
  for (const [name, other] of Object.entries(others)) {
    it.effect(`a key set in a setting is read without an unusable key: ${name}`, () =>
      Effect.gen(function* () {
        for (const keys of [
          [other, good.jwk],
          [good.jwk, other]
        ]) {
          const verify = yield* makeVerifier(yield* publicKeys(JSON.stringify({ keys })))
          assert.strictEqual(yield* verify(good.token()), accepted)
          assert.strictEqual(yield* verify(makeKey("RS256", "a").token()), refused)
        }
        const { message } = yield* Effect.flip(publicKeys(JSON.stringify({ keys: [other] })))
        assert.match(message, /^the set has no key that can be used \(key 1: .+\)$/)
      })
    )
  }
})

describe("The key of a token", () => {
  const [a, b, c] = [makeKey("ES256", "a"), makeKey("ES256", "b"), makeKey("EdDSA", "c")]
  const set = JSON.stringify({ keys: [a.jwk, b.jwk, c.jwk] })

  it.effect("the key of a token is the one that kid names", () =>
    Effect.gen(function* () {
      const verify = yield* makeVerifier(yield* publicKeys(set))
      for (const key of [a, b, c]) assert.strictEqual(yield* verify(key.token()), accepted)
      for (const kid of ["b", "c", "d", "", "A", "__proto__"]) {
        assert.strictEqual(yield* verify(a.token({ header: { kid } })), refused, kid)
      }
      for (const kid of [null, 0, ["a"], { a: 1 }])
        assert.strictEqual(yield* verify(a.token({ header: { kid } })), refused)
    })
  )

  it.effect("the key of a token without kid is the only one of its algorithm", () =>
    Effect.gen(function* () {
      const verify = yield* makeVerifier(yield* publicKeys(set))
      assert.strictEqual(yield* verify(c.token({ header: { kid: undefined } })), accepted)
      assert.strictEqual(yield* verify(a.token({ header: { kid: undefined } })), refused)
    })
  )

  it.effect("the key of a token with a kid may be a key without an id, as in a PEM", () =>
    Effect.gen(function* () {
      const verify = yield* makeVerifier(yield* publicKeys(a.pem))
      assert.strictEqual(yield* verify(a.token()), accepted)
      assert.strictEqual(yield* verify(b.token()), refused)
    })
  )

  it.effect("the key of a token is never taken from its header", () =>
    Effect.gen(function* () {
      const verify = yield* makeVerifier(yield* publicKeys(a.pem))
      const mine = makeKey("ES256")
      for (const header of [
        { jwk: mine.jwk },
        { x5c: [mine.pem] },
        { jku: "http://127.0.0.1:1/" },
        { x5u: "http://127.0.0.1:1/" }
      ]) {
        assert.strictEqual(yield* verify(mine.token({ header })), refused)
      }
    })
  )
})

describe("Secrets", () => {
  const [old, current, next] = ["old", "current", "next"].map((name) => `${name}-secret-${randomUUID()}`) as [
    string,
    string,
    string
  ]
  const token = (secret: string) => forge({ alg: "HS256" }, claims(accepted), secret)

  it.effect("a secret can be rotated: the previous secret is accepted, an older one is not", () =>
    Effect.gen(function* () {
      const before = yield* makeVerifier(secrets(current, old))
      assert.deepStrictEqual(yield* Effect.forEach([old, current, next].map(token), before), [
        accepted,
        accepted,
        refused
      ])
      const after = yield* makeVerifier(secrets(next, current))
      assert.deepStrictEqual(yield* Effect.forEach([old, current, next].map(token), after), [
        refused,
        accepted,
        accepted
      ])
    })
  )

  it.effect("a secret verifies no token of a public key", () =>
    Effect.gen(function* () {
      const verify = yield* makeVerifier(secrets(current))
      for (const alg of algs) assert.strictEqual(yield* verify(makeKey(alg).token()), refused)
    })
  )

  it.effect("a token of a secret is accepted only with the typ that is set", () =>
    Effect.gen(function* () {
      const verify = yield* makeVerifier(secrets(current), { type: "at+jwt" })
      const typed = (typ?: unknown) => verify(forge({ alg: "HS256", typ }, claims(accepted), current))
      for (const typ of ["at+jwt", "AT+JWT", "application/at+jwt"]) assert.strictEqual(yield* typed(typ), accepted)
      for (const typ of [undefined, "JWT", "", 1, ["at+jwt"]]) assert.strictEqual(yield* typed(typ), refused)
    })
  )
})
