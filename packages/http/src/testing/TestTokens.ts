/**
 * Bearer tokens for tests.
 */
import { randomBytes } from "node:crypto"
import * as Duration from "effect/Duration"
import * as Redacted from "effect/Redacted"
import * as jose from "jose"
import type { TokenSettings } from "../auth/TokenVerifier.ts"

/** An issuer of test tokens with a random secret. */
export interface TestTokens {
  /** The settings that accept its tokens, for `TokenVerifier.layer` or `createHandler({ tokens })`. */
  readonly settings: TokenSettings
  /** Signs a token of a user, valid for one hour by default. A negative duration gives an expired token. */
  readonly sign: (user: string, expiresIn?: Duration.Input) => Promise<string>
}

/** Makes an issuer of test tokens. */
export const make = (): TestTokens => {
  const secret = randomBytes(32).toString("base64url")
  const [issuer, audience] = ["https://issuer.test", "https://todo.test"]
  return {
    settings: { secrets: [Redacted.make(secret)], issuer, audience, maxAge: Duration.days(1) },
    sign: (user, expiresIn = "1 hour") => {
      const now = Math.floor(Date.now() / 1_000)
      const expires = now + Math.floor(Duration.toSeconds(Duration.fromInputUnsafe(expiresIn)))
      return new jose.SignJWT()
        .setProtectedHeader({ alg: "HS256" })
        .setSubject(user)
        .setIssuer(issuer)
        .setAudience(audience)
        .setIssuedAt(Math.min(now, expires - 1))
        .setExpirationTime(expires)
        .sign(new TextEncoder().encode(secret))
    }
  }
}
