/**
 * Reads public keys from configuration and from issuers: PEM, JWK and JWK sets (RFC 7517). Keys that are unsafe, or not
 * for verifying signatures, are refused.
 */
import { createPublicKey } from "node:crypto"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as jose from "jose"
import { type Key, type KeySet, namesOf, type PublicAlgorithm, select } from "./KeySet.ts"

/** A key cannot be used. `reason` does not contain its value. */
export class UnusableKey extends Schema.TaggedError<UnusableKey>()("UnusableKey", {
  reason: Schema.String
}) {
  override get message() {
    return this.reason
  }
}

const text = Schema.optionalKey(Schema.String)

const Jwk = Schema.Struct({
  kty: Schema.String,
  kid: text,
  alg: text,
  use: text,
  key_ops: Schema.optionalKey(Schema.Array(Schema.String)),
  crv: text,
  n: text,
  e: text,
  x: text,
  y: text,
  d: text
})

const JwkSet = Schema.Struct({ keys: Schema.Array(Schema.Unknown) })

const isJwk = Schema.is(Jwk)
/** Whether a value has the form of a JWK set (RFC 7517, 5). Its keys may still be unusable. */
export const isJwkSet = Schema.is(JwkSet)

const algorithmOf = ({ crv, kty }: typeof Jwk.Type): PublicAlgorithm | undefined =>
  kty === "RSA"
    ? "RS256"
    : kty === "EC" && crv === "P-256"
      ? "ES256"
      : kty === "OKP" && crv === "Ed25519"
        ? "EdDSA"
        : undefined

const unusable = (reason: string) => Effect.fail(new UnusableKey({ reason }))

/** Reads a public JWK. Fails with `UnusableKey` if the key is not public, not safe, or not for verifying signatures. */
export const fromJwk = Effect.fnUntraced(function* (jwk: unknown): Effect.fn.Return<Key, UnusableKey> {
  if (!isJwk(jwk)) return yield* unusable("it is neither a public key in PEM (SPKI) nor a JWK")
  if (jwk.kty === "oct") return yield* unusable("it is a secret, where a public key belongs")
  if (jwk.d !== undefined) return yield* unusable("it is a private key, where only its public part belongs")
  const algorithm = algorithmOf(jwk)
  if (algorithm === undefined) return yield* unusable("the key is neither RSA nor EC on P-256 nor Ed25519")
  if (jwk.alg !== undefined && !namesOf(algorithm).includes(jwk.alg)) {
    return yield* unusable(`"alg" names an algorithm other than ${algorithm}, which is the one for such keys`)
  }
  if (jwk.use !== undefined && jwk.use !== "sig") return yield* unusable('the key is not for signatures ("use")')
  if (jwk.key_ops !== undefined && !jwk.key_ops.includes("verify")) {
    return yield* unusable('the key is not for verifying ("key_ops")')
  }
  const { crv, e, kty, n, x, y } = jwk
  const key = yield* Effect.tryPromise({
    // Only the key material. The purpose of the key has been checked above.
    try: async () => (await jose.importJWK({ crv, e, kty, n, x, y } as jose.JWK, algorithm)) as CryptoKey,
    catch: () => new UnusableKey({ reason: "the key is not valid" })
  })
  if (algorithm === "RS256") yield* checkRsa(key.algorithm as RsaHashedKeyAlgorithm)
  return { algorithm, id: jwk.kid, key }
})

/** RFC 7518, 3.3 requires 2048 bits. With an exponent of 1 anybody could forge signatures. */
const checkRsa = ({ modulusLength, publicExponent }: RsaHashedKeyAlgorithm) => {
  if (modulusLength < 2_048) return unusable("an RSA key needs at least 2048 bits")
  const exponent = Buffer.from(publicExponent)
  const isSafe = ((exponent.at(-1) ?? 0) & 1) === 1 && !/^0*1$/.test(exponent.toString("hex"))
  return isSafe ? Effect.void : unusable("the exponent of the RSA key is not safe")
}

const parse = (text: string): unknown => {
  try {
    const isPem = text.startsWith("-----BEGIN PUBLIC KEY-----") && text.split("-----BEGIN").length === 2
    // Files of environment variables often have `\n` for line breaks.
    return isPem ? createPublicKey(text.replaceAll("\\n", "\n")).export({ format: "jwk" }) : JSON.parse(text)
  } catch {
    return undefined
  }
}

/**
 * The usable keys of a set. Issuers also publish keys for encryption or of unknown types. Those are left out, and a
 * warning gives the reasons.
 */
const fromJwks = Effect.fnUntraced(function* (jwks: ReadonlyArray<unknown>) {
  const keys: Array<Key> = []
  const reasons: Array<string> = []
  for (const [index, jwk] of jwks.entries()) {
    yield* Effect.match(fromJwk(jwk), {
      onSuccess: (key) => void keys.push(key),
      onFailure: ({ reason }) => void reasons.push(`key ${index + 1}: ${reason}`)
    })
  }
  const why = reasons.join("; ")
  if (keys.length === 0) return yield* unusable(`the set has no key that can be used${why === "" ? "" : ` (${why})`}`)
  if (why !== "") yield* Effect.logWarning(`some keys of the set cannot be used: ${why}`)
  return keys
})

/** Reads one key (PEM or JWK) or a JWK set from text. Fails with `UnusableKey` if no key can be used. */
export const fromText = Effect.fnUntraced(function* (text: string): Effect.fn.Return<ReadonlyArray<Key>, UnusableKey> {
  const parsed = parse(text.trim())
  const keys = isJwkSet(parsed) ? yield* fromJwks(parsed.keys) : [yield* fromJwk(parsed)]
  for (const { algorithm: alg, id: kid } of keys) {
    if (select(keys, { alg, kid }).length === 0) {
      return yield* unusable('several keys for one algorithm need a "kid" each')
    }
  }
  return keys
})

/** A key set that does not change while the server runs. */
export const make = (keys: ReadonlyArray<Key>): KeySet => ({
  find: (header) => Effect.succeed(select(keys, header)),
  has: () => true
})
