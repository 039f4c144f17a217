import { CurrentUser, UserId } from "@todo/core/domain"
import * as Cache from "effect/Cache"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as jose from "jose"
import { Unauthorized } from "./api/Problem.ts"

/** Which tokens are accepted (RFC 7519, RFC 8725). */
export interface TokenSettings {
  /** HS256 secrets of at least 32 bytes; the first is the current one, the others are being rotated out. */
  readonly secrets: ReadonlyArray<Redacted.Redacted>
  readonly issuer: string
  readonly audience: string
  /** The `typ` header that tokens must have, where one is set. */
  readonly type?: string | undefined
  /** Longest time from `iat` to `exp`. */
  readonly maxAge: Duration.Duration
}

/** Tells whose token it is. A verified token is remembered until it expires. */
export class TokenVerifier extends Context.Service<
  TokenVerifier,
  {
    /** The user that the token is of, and when it expires, in seconds since 1970. */
    readonly verify: (
      token: string
    ) => Effect.Effect<{ readonly user: typeof CurrentUser.Service; readonly expires: number }, Unauthorized>
  }
>()("@todo/http/TokenVerifier") {
  static readonly layer = (settings: TokenSettings): Layer.Layer<TokenVerifier> =>
    Layer.effect(
      TokenVerifier,
      Effect.gen(function* () {
        const verified = yield* Cache.makeWith(
          (token: string) => Effect.tryPromise({ try: () => verify(settings, token), catch: () => invalid }),
          {
            capacity: 10_000,
            timeToLive: (exit) =>
              Exit.isSuccess(exit) ? Duration.millis(exit.value.expires * 1_000 - Date.now()) : Duration.zero
          }
        )
        return TokenVerifier.of({ verify: (token) => Cache.get(verified, token) })
      })
    )
}

const invalid = new Unauthorized({ reason: "invalid" })

const maxLength = 8_192
const clockTolerance = 5

/**
 * `jose` verifies the signature and the standard claims; the rules that it leaves open
 * are here: one spelling of a token, a lifetime with a limit, a subject that can be a user.
 */
const verify = async (settings: TokenSettings, token: string) => {
  if (token.length > maxLength || !isCanonical(token)) throw invalid
  const { payload } = await withAnyKey(settings, token)
  const { aud, exp, iat, sub } = payload
  if (typeof exp !== "number" || typeof iat !== "number" || !Number.isFinite(exp) || !Number.isFinite(iat))
    throw invalid
  if (iat > Date.now() / 1_000 + clockTolerance) throw invalid
  if (exp - iat > Duration.toSeconds(settings.maxAge) || exp <= iat) throw invalid
  if (Array.isArray(aud) && !aud.every((one) => typeof one === "string")) throw invalid
  return { user: CurrentUser.of({ id: Schema.decodeUnknownSync(UserId)(sub) }), expires: exp }
}

const withAnyKey = async (settings: TokenSettings, token: string) => {
  for (const secret of settings.secrets) {
    const key = new TextEncoder().encode(Redacted.value(secret))
    const result = await jose
      .jwtVerify(token, key, {
        algorithms: ["HS256"],
        issuer: settings.issuer,
        audience: settings.audience,
        requiredClaims: ["iss", "aud", "sub", "exp", "iat"],
        clockTolerance,
        ...(settings.type !== undefined && { typ: settings.type })
      })
      .catch((error: unknown) => {
        if (!(error instanceof jose.errors.JWSSignatureVerificationFailed)) throw error
      })
    if (result !== undefined) return result
  }
  throw invalid
}

/** Three parts, each the only base64url spelling of its bytes: a token has no second form. */
const isCanonical = (token: string): boolean => {
  const parts = token.split(".")
  return (
    parts.length === 3 &&
    parts.every((part) => part !== "" && Buffer.from(part, "base64url").toString("base64url") === part)
  )
}
