import { CurrentUser, type Unavailable, UserId } from "@todo/core/domain"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as jose from "jose"
import { Unauthorized } from "../api/Problem.ts"
import * as Telemetry from "../observability/RequestMetrics.ts"
import { type Key, namesOf, type TokenHeader } from "./KeySet.ts"
import * as PublicKeys from "./PublicKeys.ts"
import * as RemoteKeys from "./RemoteKeys.ts"
import * as SecretKeys from "./SecretKeys.ts"

/** The keys of the one issuer: secrets, public keys, or where it publishes them. Never both kinds. */
export type TokenKeys =
  /** HS256 secrets of at least 32 bytes; the first is the current one, the others are being rotated out. */
  | { readonly secrets: ReadonlyArray<Redacted.Redacted> }
  | { readonly publicKeys: ReadonlyArray<Key> }
  | { readonly jwksUrl: URL }

/** Which tokens are accepted (RFC 7519, RFC 8725). */
export type TokenSettings = TokenKeys & {
  readonly issuer: string
  readonly audience: string
  /** The `typ` header that tokens must have, where one is set. */
  readonly type?: string | undefined
  /** Longest time from `iat` to `exp`. */
  readonly maxAge: Duration.Duration
}

/** Tells whose token it is. A verified token is remembered until it expires or its key goes. */
export class TokenVerifier extends Context.Service<
  TokenVerifier,
  {
    /** The user that the token is of, and when it expires, in seconds since 1970. */
    readonly verify: (
      token: string
    ) => Effect.Effect<
      { readonly user: typeof CurrentUser.Service; readonly expires: number },
      Unauthorized | Unavailable
    >
    /** Whether the token was verified before, so that to verify it again costs next to nothing. */
    readonly remembers: (token: string) => boolean
  }
>()("@todo/http/TokenVerifier") {
  /** Keys at a URL are fetched in the background; until they have come once, `verify` fails with `Unavailable`. */
  static readonly layer = (settings: TokenSettings): Layer.Layer<TokenVerifier> =>
    Layer.effect(TokenVerifier, make(settings))
}

interface Verified {
  readonly user: typeof CurrentUser.Service
  readonly expires: number
  readonly key: Key
}

const invalid = new Unauthorized({ reason: "invalid" })

const signatures = {
  accepted: Metric.withAttributes(Telemetry.signatures, { outcome: "accepted" }),
  refused: Metric.withAttributes(Telemetry.signatures, { outcome: "refused" })
}

const maxLength = 8_192
const maxRemembered = 10_000
const clockTolerance = 5

const make = Effect.fnUntraced(function* (settings: TokenSettings) {
  const keys =
    "secrets" in settings
      ? yield* SecretKeys.make(settings.secrets)
      : "publicKeys" in settings
        ? PublicKeys.make(settings.publicKeys)
        : yield* RemoteKeys.make(settings.jwksUrl)

  // Only what was verified gets in, so that bad tokens push nobody out; the oldest leave first.
  // A hit takes about 1 µs, a check of the signature 100.
  const remembered = new Map<string, Verified>()
  const remember = (token: string, verified: Verified): void => {
    remembered.set(token, verified)
    const [oldest = token] = remembered.keys()
    if (remembered.size > maxRemembered) remembered.delete(oldest)
  }

  const verifyAnew = Effect.fnUntraced(function* (token: string, now: number) {
    const header = headerOf(token)
    if (header === undefined) return yield* invalid
    for (const key of yield* keys.find(header)) {
      const payload = yield* Effect.promise(() => verifySignature(settings, token, key, now))
      yield* Metric.update(payload === undefined ? signatures.refused : signatures.accepted, 1)
      if (payload === undefined) continue
      const verified = yield* check(settings, payload, key, now)
      remember(token, verified)
      yield* Metric.update(Telemetry.tokensRemembered, remembered.size)
      return verified
    }
    return yield* invalid
  })

  return TokenVerifier.of({
    remembers: (token) => remembered.has(token),
    verify: (token) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => {
        const known = remembered.get(token)
        if (known !== undefined && keys.has(known.key) && !isOver(known.expires, now)) return Effect.succeed(known)
        remembered.delete(token)
        return verifyAnew(token, now)
      })
  })
})

/** What the token says about its key, if it can be read and is spelled as it must be. */
const headerOf = (token: string): TokenHeader | undefined => {
  if (token.length > maxLength || !isCanonical(token)) return undefined
  try {
    const { alg, b64, crit, kid, typ } = jose.decodeProtectedHeader(token)
    // There is no extension that we know (RFC 7515, 4.1.11), and `b64` is one that no JWT has (RFC 7797, 7).
    if (crit !== undefined || b64 !== undefined || typeof alg !== "string") return undefined
    return isOptionalText(kid) && isOptionalText(typ) ? { alg, kid } : undefined
  } catch {
    return undefined
  }
}

const isOptionalText = (value: unknown): value is string | undefined => value === undefined || typeof value === "string"

/** Three parts, each the only base64url spelling of its bytes: a token has no second form. */
const isCanonical = (token: string): boolean => {
  const parts = token.split(".")
  return (
    parts.length === 3 &&
    parts.every((part) => part !== "" && Buffer.from(part, "base64url").toString("base64url") === part)
  )
}

/** The claims that the key has signed, as far as `jose` knows the rules for them. */
const verifySignature = (settings: TokenSettings, token: string, { algorithm, key }: Key, now: number) =>
  jose
    .jwtVerify(token, key, {
      algorithms: [...namesOf(algorithm)],
      issuer: settings.issuer,
      audience: settings.audience,
      requiredClaims: ["iss", "aud", "sub", "exp", "iat"],
      clockTolerance,
      currentDate: new Date(now),
      ...(settings.type !== undefined && { typ: settings.type })
    })
    .then(
      ({ payload }) => payload,
      () => undefined
    )

/** The rules that `jose` leaves open: a lifetime with a limit, a subject that can be a user. */
const check = Effect.fnUntraced(function* (settings: TokenSettings, payload: jose.JWTPayload, key: Key, now: number) {
  const { aud, exp, iat, nbf, sub } = payload
  if (!Number.isFinite(exp) || !Number.isFinite(iat) || exp === undefined || iat === undefined) return yield* invalid
  if (nbf !== undefined && !Number.isFinite(nbf)) return yield* invalid
  if (isOver(exp, now) || iat > now / 1_000 + clockTolerance) return yield* invalid
  if (exp - iat > Duration.toSeconds(settings.maxAge) || exp <= iat) return yield* invalid
  if (Array.isArray(aud) && !aud.every((one) => typeof one === "string")) return yield* invalid
  if (!isUserId(sub)) return yield* invalid
  return { user: CurrentUser.of({ id: sub }), expires: exp, key }
})

const isUserId = Schema.is(UserId)

const isOver = (expires: number, now: number): boolean => now >= (expires + clockTolerance) * 1_000
