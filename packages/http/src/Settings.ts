/**
 * The settings of the server, read from the environment once, at the start. A value
 * that is missing or wrong stops the start with its name and the reason.
 */
import { Database } from "@todo/core"
import { developmentClaims, developmentSecret } from "@todo/core/installation"
import * as ByteSize from "effect/ByteSize"
import * as Config from "effect/Config"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { ServerSettings } from "./Server.ts"
import type { TokenSettings } from "./TokenVerifier.ts"

/** A setting without which the server would not be safe to start. */
export class MissingSetting extends Schema.TaggedError<MissingSetting>()("MissingSetting", {
  name: Schema.String,
  why: Schema.String
}) {
  override get message() {
    return `${this.name} is not set: ${this.why}`
  }
}

const secret = Schema.RedactedFromValue(
  Schema.String.check(
    Schema.makeFilter((text) => new TextEncoder().encode(text).length >= 32, {
      expected: "a secret of at least 32 bytes"
    })
  )
)

const duration = (name: string, fallback: Duration.Input) =>
  Config.schema(
    Schema.DurationFromString.check(
      Schema.makeFilter((value) => Duration.toMillis(value) > 0 && Duration.toMillis(value) < 2 ** 31, {
        expected: "a duration of more than 0 and less than 24 days"
      })
    ),
    name
  ).pipe(Config.withDefault(Duration.fromInputUnsafe(fallback)))

const isLoopback = (host: string): boolean => host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host)

const optional = <A>(config: Config.Config<A>) => Effect.map(Config.option(config), Option.getOrUndefined)

/** Everything `main` needs. `development` is a server on this machine alone, with a generated secret. */
export interface Settings {
  readonly server: ServerSettings
  readonly tokens: TokenSettings
  readonly development: boolean
  readonly migrate: "auto" | "check"
}

export const load = Effect.gen(function* () {
  const host = yield* Config.NonEmptyString("HOST").pipe(Config.withDefault("127.0.0.1"))
  const environment = yield* optional(Config.String("NODE_ENV"))
  const databaseUrl = yield* optional(Database.config.url)
  const current = yield* optional(Config.schema(secret, "TODO_JWT_SECRET"))
  const previous = yield* optional(Config.schema(secret, "TODO_JWT_SECRET_PREVIOUS"))
  const issuer = yield* optional(Config.NonEmptyString("TODO_JWT_ISSUER"))
  const audience = yield* optional(Config.NonEmptyString("TODO_JWT_AUDIENCE"))

  const production = environment === "production" || !isLoopback(host)
  if (production && databaseUrl === undefined) {
    return yield* new MissingSetting({ name: "DATABASE_URL", why: "in production the database is your own" })
  }
  const development = !production && databaseUrl === undefined && current === undefined
  if (!development) {
    const why = "outside development mode the server accepts only tokens of an issuer that you name"
    if (current === undefined) return yield* new MissingSetting({ name: "TODO_JWT_SECRET", why })
    if (issuer === undefined) return yield* new MissingSetting({ name: "TODO_JWT_ISSUER", why })
    if (audience === undefined) return yield* new MissingSetting({ name: "TODO_JWT_AUDIENCE", why })
  }

  return {
    development,
    migrate: yield* Config.Literals(["auto", "check"], "TODO_MIGRATE").pipe(
      Config.withDefault(databaseUrl === undefined ? "auto" : "check")
    ),
    server: {
      host,
      port: yield* Config.schema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 65_535 })), "PORT").pipe(
        Config.withDefault(3_000)
      ),
      bodyLimit: yield* Config.ByteSize("TODO_BODY_LIMIT").pipe(
        Config.withDefault(ByteSize.kibibytes(256)),
        Config.map(ByteSize.toNumberUnsafe)
      ),
      requestTimeout: yield* duration("TODO_REQUEST_TIMEOUT", "10 seconds"),
      drainTimeout: yield* duration("TODO_DRAIN_TIMEOUT", "10 seconds")
    },
    tokens: {
      secrets: [current ?? (yield* developmentSecret), ...(previous === undefined ? [] : [previous])],
      issuer: issuer ?? developmentClaims.issuer,
      audience: audience ?? developmentClaims.audience,
      type: yield* optional(Config.NonEmptyString("TODO_JWT_TYP")),
      maxAge: yield* duration("TODO_JWT_MAX_AGE", "24 hours")
    }
  } satisfies Settings
})
