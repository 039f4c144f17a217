import { CurrentUser, type Unavailable, UserId } from "@todo/core/domain"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import type * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as jose from "jose"
import { Unauthorized } from "../api/Problem.ts"
import * as RequestMetrics from "../observability/RequestMetrics.ts"
import { type Key, namesOf, type TokenHeader } from "./KeySet.ts"
import * as PublicKeys from "./PublicKeys.ts"
import * as RemoteKeys from "./RemoteKeys.ts"
import * as SecretKeys from "./SecretKeys.ts"

/** The keys of the issuer: shared secrets, public keys, or the URL of a JWK set. Exactly one of them is set. */
export type TokenKeys =
  /** HS256 secrets of at least 32 bytes. The first is the current one; the others are being rotated out. */
  | { readonly secrets: ReadonlyArray<Redacted.Redacted> }
  /** Public keys, as `PublicKeys.fromText` reads them. */
  | { readonly publicKeys: ReadonlyArray<Key> }
  /** The URL of the JWK set of the issuer. It is fetched again every 25 seconds. */
  | { readonly jwksUrl: URL }

/** The rules for accepted tokens (RFC 7519, RFC 8725). */
export type TokenSettings = TokenKeys & {
  /** The `iss` claim that tokens must have. */
  readonly issuer: string
  /** The value that the `aud` claim of tokens must have or contain. */
  readonly audience: string
  /** The `typ` header that tokens must have, for example `at+jwt`. Not checked by default. */
  readonly type?: string | undefined
  /** The longest accepted time from `iat` to `exp`. */
  readonly maxAge: Duration.Duration
}

/** Verifies bearer tokens (JWT). A verified token is cached until it expires or its key is removed. */
export class TokenVerifier extends Context.Service<
  TokenVerifier,
  {
    /**
     * The user of the token, and its expiry in seconds since 1970. Fails with `Unauthorized` if the token is not accepted,
     * and with `Unavailable` if the keys have never been fetched.
     */
    readonly verify: (
      token: string
    ) => Effect.Effect<
      { readonly user: typeof CurrentUser.Service; readonly expires: number },
      Unauthorized | Unavailable
    >
    /** Whether the token is in the cache of verified tokens, so that verifying it again needs no signature check. */
    readonly isCached: (token: string) => boolean
  }
>()("@todo/http/TokenVerifier") {
  /** Keys at a URL are fetched in the background. Until the first fetch succeeds, `verify` fails with `Unavailable`. */
  static readonly layer = (settings: TokenSettings): Layer.Layer<TokenVerifier> =>
    Layer.effect(TokenVerifier, make(settings))
}

interface Verified {
  readonly user: typeof CurrentUser.Service
  readonly expires: number
  readonly key: Key
}

const invalid = new Unauthorized({ reason: "invalid" })

/** Why a token is refused, in the terms of `jose`. Only the operator learns it: an attacker could use it. */
class TokenRefused extends Schema.TaggedError<TokenRefused>()("TokenRefused", {
  /** The error code: `ERR_JWS_SIGNATURE_VERIFICATION_FAILED`, `ERR_JWT_EXPIRED`. */
  code: Schema.String,
  /** The claim, or the header `typ`, that is not accepted. */
  claim: Schema.optionalKey(Schema.String)
}) {}

const malformed = new TokenRefused({ code: jose.errors.JWTInvalid.code })
const noKey = new TokenRefused({ code: jose.errors.JWKSNoMatchingKey.code })
const badClaim = (claim: string) => new TokenRefused({ code: jose.errors.JWTClaimValidationFailed.code, claim })
const forged = jose.errors.JWSSignatureVerificationFailed.code

const countSignature = (attributes: { readonly outcome: "accepted" | "refused"; readonly code?: string }) =>
  Metric.update(Metric.withAttributes(RequestMetrics.signatures, { ...attributes }), 1)

const maxLength = 8_192
const cacheCapacity = 10_000
const clockTolerance = 5

const make = Effect.fnUntraced(function* (settings: TokenSettings) {
  const keys =
    "secrets" in settings
      ? yield* SecretKeys.make(settings.secrets)
      : "publicKeys" in settings
        ? PublicKeys.make(settings.publicKeys)
        : yield* RemoteKeys.make(settings.jwksUrl)

  // The cache of verified tokens, first in, first out. Invalid tokens do not enter it, so they evict nothing.
  // A hit takes about 1 µs, a signature check about 100 µs.
  const cached = new Map<string, Verified>()
  const addToCache = (token: string, verified: Verified): void => {
    cached.set(token, verified)
    const [oldest = token] = cached.keys()
    if (cached.size > cacheCapacity) cached.delete(oldest)
  }

  const verifyAnew = Effect.fnUntraced(function* (token: string, now: number) {
    const header = headerOf(token)
    if (header === undefined) return yield* malformed
    let refused = noKey
    for (const key of yield* keys.find(header)) {
      const result = yield* Effect.result(verifySignature(settings, token, key, now))
      if (Result.isFailure(result)) {
        refused = result.failure
        yield* countSignature({ outcome: "refused", code: refused.code })
        // Another secret may have signed the token. Other errors do not depend on the key.
        if (refused.code === forged) continue
        break
      }
      yield* countSignature({ outcome: "accepted" })
      const verified = yield* check(settings, result.success, key, now)
      addToCache(token, verified)
      yield* Metric.update(RequestMetrics.cachedTokens, cached.size)
      return verified
    }
    return yield* refused
  })

  return TokenVerifier.of({
    isCached: (token) => cached.has(token),
    verify: (token) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => {
        const known = cached.get(token)
        if (known !== undefined && keys.has(known.key) && !isExpired(known.expires, now)) return Effect.succeed(known)
        cached.delete(token)
        return Effect.catchTag(verifyAnew(token, now), "TokenRefused", ({ code, claim }) =>
          Effect.logDebug("token refused").pipe(
            Effect.annotateLogs({ code, ...(claim !== undefined && { claim }) }),
            Effect.andThen(Effect.fail(invalid))
          )
        )
      })
  })
})

/** The header fields that select a key, or `undefined` if the token is malformed. */
const headerOf = (token: string): TokenHeader | undefined => {
  if (token.length > maxLength || !isCanonical(token)) return undefined
  try {
    const { alg, b64, crit, kid, typ } = jose.decodeProtectedHeader(token)
    // No critical extension is supported (RFC 7515, 4.1.11), and a JWT must not use `b64` (RFC 7797, 7).
    if (crit !== undefined || b64 !== undefined || typeof alg !== "string") return undefined
    return isOptionalText(kid) && isOptionalText(typ) ? { alg, kid } : undefined
  } catch {
    return undefined
  }
}

const isOptionalText = (value: unknown): value is string | undefined => value === undefined || typeof value === "string"

/** Whether each of the three parts is the canonical base64url of its bytes, so that a token has only one spelling. */
const isCanonical = (token: string): boolean => {
  const parts = token.split(".")
  return (
    parts.length === 3 &&
    parts.every((part) => part !== "" && Buffer.from(part, "base64url").toString("base64url") === part)
  )
}

/** The claims of the token. Fails with `TokenRefused` if the signature or a standard claim is not valid. */
const verifySignature = (settings: TokenSettings, token: string, { algorithm, key }: Key, now: number) =>
  Effect.tryPromise({
    try: () =>
      jose.jwtVerify(token, key, {
        algorithms: [...namesOf(algorithm)],
        issuer: settings.issuer,
        audience: settings.audience,
        requiredClaims: ["iss", "aud", "sub", "exp", "iat"],
        clockTolerance,
        currentDate: new Date(now),
        ...(settings.type !== undefined && { typ: settings.type })
      }),
    catch: (error) => {
      if (error instanceof jose.errors.JWTClaimValidationFailed) return badClaim(error.claim)
      return new TokenRefused({
        code: error instanceof jose.errors.JOSEError ? error.code : jose.errors.JOSEError.code
      })
    }
  }).pipe(Effect.map(({ payload }) => payload))

/**
 * Checks what `jose` accepts: numbers that are not finite (JSON `1e999`), an `iat` in the future, an `exp` before `iat` or
 * later than `maxAge` allows, an `aud` with values that are not text, and a `sub` that is no user id.
 */
const check = Effect.fnUntraced(function* (settings: TokenSettings, payload: jose.JWTPayload, key: Key, now: number) {
  const { aud, exp, iat, nbf, sub } = payload
  if (exp === undefined || !Number.isFinite(exp) || isExpired(exp, now)) return yield* badClaim("exp")
  if (iat === undefined || !Number.isFinite(iat) || iat > now / 1_000 + clockTolerance) return yield* badClaim("iat")
  if (nbf !== undefined && !Number.isFinite(nbf)) return yield* badClaim("nbf")
  if (exp - iat > Duration.toSeconds(settings.maxAge) || exp <= iat) return yield* badClaim("exp")
  if (Array.isArray(aud) && !aud.every((one) => typeof one === "string")) return yield* badClaim("aud")
  if (!isUserId(sub)) return yield* badClaim("sub")
  return { user: CurrentUser.of({ id: sub }), expires: exp, key }
})

const isUserId = Schema.is(UserId)

const isExpired = (expires: number, now: number): boolean => now >= (expires + clockTolerance) * 1_000
