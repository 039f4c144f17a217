/**
 * What development mode prints: where everything is, and a request that works.
 */
import { developmentClaims } from "@todo/core/installation"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as jose from "jose"

const user = "dev"

/** A token of the development user, valid for a day. */
const token = (secret: Redacted.Redacted) =>
  Effect.promise(() =>
    new jose.SignJWT()
      .setProtectedHeader({ alg: "HS256" })
      .setSubject(user)
      .setIssuer(developmentClaims.issuer)
      .setAudience(developmentClaims.audience)
      .setIssuedAt()
      .setExpirationTime("24h")
      .sign(new TextEncoder().encode(Redacted.value(secret)))
  )

export const banner = (options: {
  readonly address: string
  readonly database: string
  readonly secret: Redacted.Redacted
}) =>
  Effect.map(
    token(options.secret),
    (token) => `Todo listens on ${options.address}

  Docs      ${options.address}/docs
  Database  PostgreSQL in ${options.database}
  User      ${user}, with a token for a day:

  ${token}

Add a todo:

  curl -sS ${options.address}/v1/todos -H 'Authorization: Bearer ${token}' -H 'Content-Type: application/json' -d '{"title":"Buy milk"}'
`
  )
