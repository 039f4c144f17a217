/**
 * The classes of invalid signatures and unsafe keys that Project Wycheproof collects for
 * JWS (github.com/C2SP/wycheproof, json_web_signature), made here for our algorithms.
 */
import { createHmac, createPublicKey, generateKeyPairSync, type JsonWebKey, randomBytes } from "node:crypto"
import { assert, describe, it } from "@effect/vitest"
import { PublicKeys } from "@todo/http"
import { Effect, Redacted, References } from "effect"
import { algs, type IssuerKey, makeKey, makeVerifier, signature, signed } from "../support/issuer.ts"
import { encode, general, headers, partsOf, special } from "../support/forgedTokens.ts"
import { claims, forge } from "../support/testServer.ts"

const user = "somebody"
const secret = randomBytes(32).toString("base64url")
const keys: Record<string, IssuerKey> = Object.fromEntries(algs.map((alg) => [alg, makeKey(alg)]))
const [rsa, ec, ed] = algs.map((alg) => makeKey(alg)) as [IssuerKey, IssuerKey, IssuerKey]

describe.each([...algs, "HS256"])("Of the signatures of %s", (alg) => {
  const key = keys[alg]
  const tokenKeys =
    key === undefined
      ? Effect.succeed({ secrets: [Redacted.make(secret)] })
      : Effect.map(PublicKeys.fromText(key.pem), (publicKeys) => ({ publicKeys }))
  const good = () => key?.token() ?? forge({ alg }, claims(user), secret)

  it.effect("a valid signature is accepted", () =>
    Effect.gen(function* () {
      const verify = yield* makeVerifier(yield* tokenKeys)
      assert.strictEqual(yield* verify(good()), user)
    })
  )

  for (const [name, change] of [...general, ...(special[alg] ?? [])]) {
    it.effect(`a signature is refused with ${name}`, () =>
      Effect.gen(function* () {
        const verify = yield* makeVerifier(yield* tokenKeys)
        assert.strictEqual(yield* verify(change(partsOf(good()), key)), "Unauthorized")
      })
    )
  }

  for (const [name, json] of headers) {
    it.effect(`a signature is refused with a header that has ${name}`, () =>
      Effect.gen(function* () {
        const verify = yield* makeVerifier(yield* tokenKeys)
        const text = `${Buffer.from(json(alg)).toString("base64url")}.${encode(claims(user))}`
        const bytes =
          key === undefined ? createHmac("sha256", secret).update(text).digest() : signature(alg, key.privateKey, text)
        assert.strictEqual(yield* verify(`${text}.${bytes.toString("base64url")}`), "Unauthorized")
      })
    )
  }

  it.effect("a signature of another key or algorithm is refused", () =>
    Effect.gen(function* () {
      const verify = yield* makeVerifier(yield* tokenKeys)
      for (const other of [rsa, ec, ed]) {
        for (const named of [...algs, "HS256", "PS256", "none"]) {
          const token = signed({ alg: named }, claims(user), other.privateKey, other.alg)
          assert.strictEqual(yield* verify(token), "Unauthorized", `${named} of ${other.alg}`)
        }
      }
    })
  )
})

describe("Of the keys", () => {
  const rsaJwk = (modulusLength: number, publicExponent = 65_537): JsonWebKey =>
    generateKeyPairSync("rsa", { modulusLength, publicExponent }).publicKey.export({ format: "jwk" })
  const withExponent = (e: ReadonlyArray<number>): JsonWebKey => ({
    ...rsa.jwk,
    e: Buffer.from(e).toString("base64url")
  })
  const curve = (namedCurve: string) => generateKeyPairSync("ec", { namedCurve }).publicKey.export({ format: "jwk" })
  const off = (jwk: JsonWebKey): JsonWebKey => ({ ...jwk, y: Buffer.alloc(32, 7).toString("base64url") })

  const unsafe: ReadonlyArray<readonly [name: string, key: () => object | string]> = [
    ["for encryption", () => ({ ...ec.jwk, use: "enc" })],
    ["with use in other letters", () => ({ ...ec.jwk, use: "SIG" })],
    ["for signing", () => ({ ...ec.jwk, key_ops: ["sign"] })],
    ["for nothing", () => ({ ...ec.jwk, key_ops: [] })],
    ["for wrapping keys", () => ({ ...rsa.jwk, key_ops: ["wrapKey", "encrypt"] })],
    ["for PS256", () => ({ ...rsa.jwk, alg: "PS256" })],
    ["for RSA-OAEP", () => ({ ...rsa.jwk, alg: "RSA-OAEP" })],
    ["for ES512", () => ({ ...ec.jwk, alg: "ES512" })],
    ["for HS256, and RSA", () => ({ ...rsa.jwk, alg: "HS256" })],
    ["for no algorithm", () => ({ ...ec.jwk, alg: "none" })],
    ["of RSA with 1024 bits", () => rsaJwk(1_024)],
    ["of RSA with 2040 bits", () => rsaJwk(2_040)],
    ["of RSA with exponent 1", () => withExponent([1])],
    ["of RSA with exponent 1 in four bytes", () => withExponent([0, 0, 0, 1])],
    ["of RSA with exponent 2", () => withExponent([2])],
    ["of RSA with an even exponent", () => withExponent([1, 0, 0])],
    ["of RSA with exponent 0", () => withExponent([0])],
    ["of RSA without exponent", () => ({ ...rsa.jwk, e: undefined })],
    ["on P-384", () => curve("P-384")],
    ["on P-521", () => curve("P-521")],
    ["on secp256k1", () => curve("secp256k1")],
    ["on P-384 that says P-256", () => ({ ...curve("P-384"), crv: "P-256" })],
    ["that is no point of its curve", () => off(ec.jwk)],
    ["at infinity", () => ({ ...ec.jwk, x: "", y: "" })],
    ["of Ed448", () => generateKeyPairSync("ed448").publicKey.export({ format: "jwk" })],
    ["of X25519", () => generateKeyPairSync("x25519").publicKey.export({ format: "jwk" })],
    ["of Ed25519 with 31 bytes", () => ({ ...ed.jwk, x: Buffer.alloc(31, 1).toString("base64url") })],
    ["that is secret", () => ({ kty: "oct", k: secret })],
    ["that is private", () => ec.privateKey.export({ format: "jwk" })],
    ["that is private, in a PEM", () => String(ed.privateKey.export({ format: "pem", type: "pkcs8" }))],
    ["of RSA in a PEM of PKCS #1", () => String(rsa.publicKey.export({ format: "pem", type: "pkcs1" }))],
    [
      "of RSA-PSS, in a PEM",
      () =>
        String(
          generateKeyPairSync("rsa-pss", { modulusLength: 2_048 }).publicKey.export({ format: "pem", type: "spki" })
        )
    ],
    [
      "of RSA with 1024 bits, in a PEM",
      () => String(createPublicKey({ key: rsaJwk(1_024), format: "jwk" }).export({ format: "pem", type: "spki" }))
    ],
    ["twice, in PEM", () => ec.pem + ed.pem],
    ["without its end, in a PEM", () => ec.pem.slice(0, -40)]
  ]

  for (const [name, key] of unsafe) {
    it.effect(`an unsafe key is refused: one ${name}`, () =>
      Effect.gen(function* () {
        const value = key()
        const text = typeof value === "string" ? value : JSON.stringify(value)
        const { reason } = yield* Effect.flip(PublicKeys.fromText(text))
        assert.match(reason, /[a-z]{3}/)
        // In a set beside a valid key, only the valid one is used.
        if (typeof value === "object") {
          const set = JSON.stringify({ keys: [{ ...value, kid: "x" }, keys["EdDSA"]?.jwk] })
          const taken = yield* PublicKeys.fromText(set).pipe(Effect.provideService(References.MinimumLogLevel, "None"))
          assert.deepStrictEqual(
            taken.map(({ algorithm, id }) => [algorithm, id]),
            [["EdDSA", keys["EdDSA"]?.jwk.kid]]
          )
        }
      })
    )
  }

  it.effect("the unchanged key is accepted, so each change alone causes the refusal", () =>
    Effect.gen(function* () {
      const reasons: ReadonlyArray<readonly [key: object, reason: RegExp]> = [
        [{ kty: "oct", k: secret }, /a secret/],
        [ec.privateKey.export({ format: "jwk" }), /a private key/],
        [{ ...ec.jwk, use: "enc" }, /"use"/],
        [{ ...ec.jwk, key_ops: ["sign"] }, /"key_ops"/],
        [{ ...ec.jwk, alg: "ES512" }, /"alg".* ES256/],
        [rsaJwk(1_024), /2048 bits/],
        [withExponent([1]), /exponent/],
        [curve("P-384"), /P-256/],
        [off(ec.jwk), /not valid/]
      ]
      for (const [key, reason] of reasons) {
        assert.match((yield* Effect.flip(PublicKeys.fromText(JSON.stringify(key)))).message, reason)
      }
    })
  )
})
