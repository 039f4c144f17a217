import { developmentClaims, developmentSecret, maxTokenAge, settings } from "@todo/core/installation"
import * as Config from "effect/Config"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { SignJWT } from "jose/jwt/sign"
import { Usage } from "../errors/CommandError.ts"
import * as Flags from "../flags/Flags.ts"
import { printNotice, printResult } from "../terminal/Output.ts"

const claim = (name: "issuer" | "audience", setting: string) =>
  Flag.String(name).pipe(
    Flag.withMetavar("TEXT"),
    Flags.withSchema(Schema.NonEmptyString.annotate({ expected: "a string that is not empty" })),
    Flag.withDescription(`The ${name} of the token (default: ${setting}, or else the ${name} of development mode)`),
    Flag.optional
  )

export const token = Command.make(
  "token",
  {
    user: Flags.user("The user of the token: its sub claim"),
    expires: Flags.duration("expires").pipe(
      Flag.withDescription("How long the token is valid: 90s, 30m, 12h (default: 1h)"),
      Flag.withDefault(3_600)
    ),
    issuer: claim("issuer", "TODO_JWT_ISSUER"),
    audience: claim("audience", "TODO_JWT_AUDIENCE")
  },
  Effect.fnUntraced(function* (flags) {
    const maxAge = yield* maxTokenAge
    if (flags.expires > Duration.toSeconds(maxAge)) {
      return yield* new Usage({
        message: `--expires must be at most ${Duration.format(maxAge)} (TODO_JWT_MAX_AGE); servers refuse longer tokens`
      })
    }
    const secret = yield* Config.option(settings.TODO_JWT_SECRET)
    if (Option.isNone(secret)) yield* warnOfOtherKeys
    const key = Option.isSome(secret) ? secret.value : yield* developmentSecret
    const type = yield* Config.option(settings.TODO_JWT_TYP)
    const issuer = yield* settings.TODO_JWT_ISSUER.pipe(Config.withDefault(developmentClaims.issuer))
    const audience = yield* settings.TODO_JWT_AUDIENCE.pipe(Config.withDefault(developmentClaims.audience))

    const now = Math.floor(Date.now() / 1_000)
    const signed = yield* Effect.promise(() =>
      new SignJWT()
        .setProtectedHeader({ alg: "HS256", ...(Option.isSome(type) && { typ: type.value }) })
        .setSubject(flags.user)
        .setIssuer(Option.getOrElse(flags.issuer, () => issuer))
        .setAudience(Option.getOrElse(flags.audience, () => audience))
        .setIssuedAt(now)
        .setExpirationTime(now + flags.expires)
        .sign(new TextEncoder().encode(Redacted.value(key)))
    )
    yield* printResult(
      { token: signed, expiresAt: new Date((now + flags.expires) * 1_000).toISOString() },
      ({ token }) => token
    )
  })
).pipe(
  Command.withDescription(
    "Print a bearer token, signed with TODO_JWT_SECRET, or else with the secret of development mode"
  ),
  Command.withExamples([
    { command: "todo-admin token --user alice --expires 1h" },
    {
      command: 'curl -H "Authorization: Bearer $(todo-admin token --user alice)" http://127.0.0.1:3000/v1/me',
      description: "Call the server"
    }
  ])
)

/** Servers with their own keys or their own database refuse tokens that are signed with the development secret. */
const warnOfOtherKeys = Effect.gen(function* () {
  const other = yield* Effect.all([
    Config.option(settings.DATABASE_URL),
    Config.option(settings.TODO_JWT_PUBLIC_KEY),
    Config.option(settings.TODO_JWKS_URL)
  ])
  if (other.some((setting) => Option.isSome<unknown>(setting))) {
    yield* printNotice(
      "TODO_JWT_SECRET is not set, so the token is signed for a server in development mode; other servers will refuse it"
    )
  }
})
