/**
 * The banner of development mode: the addresses, a token, and a first request to copy.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as jose from "jose"
import type { TokenSettings } from "../auth/TokenVerifier.ts"

const user = "dev"

const lifetime = ({ maxAge }: TokenSettings) => Duration.min(maxAge, Duration.hours(24))

/** A token of the development user that the settings accept. */
const token = (settings: TokenSettings, secret: Redacted.Redacted) =>
  Effect.promise(() =>
    new jose.SignJWT()
      .setProtectedHeader({ alg: "HS256", ...(settings.type !== undefined && { typ: settings.type }) })
      .setSubject(user)
      .setIssuer(settings.issuer)
      .setAudience(settings.audience)
      .setIssuedAt()
      .setExpirationTime(`${Math.floor(Duration.toSeconds(lifetime(settings)))}s`)
      .sign(new TextEncoder().encode(Redacted.value(secret)))
  )

export const banner = (options: {
  readonly address: string
  readonly database: string
  readonly secret: Redacted.Redacted
  readonly tokens: TokenSettings
}) =>
  Effect.map(
    token(options.tokens, options.secret),
    (token) => `Todo listens on ${options.address}

  Docs      ${options.address}/docs
  Database  PostgreSQL in ${options.database}
  User      ${user}; a token that is valid for ${Duration.format(lifetime(options.tokens))}:

  ${token}

Add a todo:

  curl -sS ${options.address}/v1/todos -H 'Authorization: Bearer ${token}' -H 'Content-Type: application/json' -d '{"title":"Buy milk"}'
`
  )
