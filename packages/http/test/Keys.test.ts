import { createHmac, createSecretKey, randomUUID } from "node:crypto"
import { assert, describe, it } from "@effect/vitest"
import { PublicKeys } from "@todo/http"
import { Effect, Redacted } from "effect"
import { algs, type IssuerKey, makeKey, makeVerifier } from "./issuer.ts"
import { claims, forge, now } from "./testServer.ts"

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
    it.effect(`in the form of a ${name} verifies what it has signed, and nothing else`, () =>
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

  it.effect("is no secret of HS256, in any of its forms", () =>
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

  it.effect("verifies its own algorithm alone", () =>
    Effect.gen(function* () {
      const verify = yield* makeVerifier(yield* publicKeys(key.pem))
      const names = [
        "none",
        "HS256",
        "PS256",
        "RS384",
        "RS512",
        "ES384",
        "Ed25519",
        "Ed448",
        alg.toLowerCase(),
        ...algs
      ]
      for (const name of names.filter((name) => name !== alg)) {
        assert.strictEqual(yield* verify(key.token({ header: { alg: name } })), refused, name)
      }
    })
  )
})

describe("The key of a token", () => {
  const [a, b, c] = [makeKey("ES256", "a"), makeKey("ES256", "b"), makeKey("EdDSA", "c")]
  const set = JSON.stringify({ keys: [a.jwk, b.jwk, c.jwk] })

  it.effect("is the one that kid names", () =>
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

  it.effect("without kid is the only one of its algorithm", () =>
    Effect.gen(function* () {
      const verify = yield* makeVerifier(yield* publicKeys(set))
      assert.strictEqual(yield* verify(c.token({ header: { kid: undefined } })), accepted)
      assert.strictEqual(yield* verify(a.token({ header: { kid: undefined } })), refused)
    })
  )

  it.effect("with a kid is a key without an id too, as in a PEM", () =>
    Effect.gen(function* () {
      const verify = yield* makeVerifier(yield* publicKeys(a.pem))
      assert.strictEqual(yield* verify(a.token()), accepted)
      assert.strictEqual(yield* verify(b.token()), refused)
    })
  )

  it.effect("is never taken from its header", () =>
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

  it.effect("rotate: the one before the current is accepted, the one before that no longer", () =>
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

  it.effect("verify no token of a public key", () =>
    Effect.gen(function* () {
      const verify = yield* makeVerifier(secrets(current))
      for (const alg of algs) assert.strictEqual(yield* verify(makeKey(alg).token()), refused)
    })
  )

  it.effect("must come with the typ that is set", () =>
    Effect.gen(function* () {
      const verify = yield* makeVerifier(secrets(current), { type: "at+jwt" })
      const typed = (typ?: unknown) => verify(forge({ alg: "HS256", typ }, claims(accepted), current))
      for (const typ of ["at+jwt", "AT+JWT", "application/at+jwt"]) assert.strictEqual(yield* typed(typ), accepted)
      for (const typ of [undefined, "JWT", "", 1, ["at+jwt"]]) assert.strictEqual(yield* typed(typ), refused)
    })
  )
})
