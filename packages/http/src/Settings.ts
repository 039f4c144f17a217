/**
 * The settings of the server, read from the environment once, at the start. A value
 * that is missing or wrong stops the start with its name and the reason.
 */
import { developmentClaims, developmentSecret, settings } from "@todo/core/installation"
import * as ByteSize from "effect/ByteSize"
import * as Config from "effect/Config"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { ServerSettings } from "./Server.ts"
import type { TokenKeys, TokenSettings } from "./TokenVerifier.ts"
import * as PublicKeys from "./tokens/PublicKeys.ts"

/** A setting without which the server would not be safe to start. */
export class MissingSetting extends Schema.TaggedError<MissingSetting>()("MissingSetting", {
  name: Schema.String,
  why: Schema.String
}) {
  override get message() {
    return `${this.name} is not set: ${this.why}`
  }
}

/** Settings that would not be safe, alone or together. */
export class UnsafeSetting extends Schema.TaggedError<UnsafeSetting>()("UnsafeSetting", {
  name: Schema.String,
  why: Schema.String
}) {
  override get message() {
    return `${this.name}: ${this.why}`
  }
}

const isLoopback = (host: string): boolean => host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host)

/** Far above what people and their apps do; a stop for one that runs in circles. */
const productionRateLimit = { requests: 60_000, window: Duration.minutes(1) }

const optional = <A>(config: Config.Config<A>) => Effect.map(Config.option(config), Option.getOrUndefined)

/** The keys that are set: those of one kind, or none. */
const tokenKeys = Effect.gen(function* () {
  const current = yield* optional(settings.TODO_JWT_SECRET)
  const previous = yield* optional(settings.TODO_JWT_SECRET_PREVIOUS)
  const publicKey = yield* optional(settings.TODO_JWT_PUBLIC_KEY)
  const jwksUrl = yield* optional(settings.TODO_JWKS_URL)

  const kinds = Object.entries({
    TODO_JWT_SECRET: current ?? previous,
    TODO_JWT_PUBLIC_KEY: publicKey,
    TODO_JWKS_URL: jwksUrl
  }).flatMap(([name, value]) => (value === undefined ? [] : [name]))
  if (kinds.length > 1) {
    return yield* new UnsafeSetting({
      name: kinds.join(", "),
      why: "set one of them; keys of two kinds do not go together"
    })
  }
  if (previous !== undefined && current === undefined) {
    return yield* new MissingSetting({
      name: "TODO_JWT_SECRET",
      why: "TODO_JWT_SECRET_PREVIOUS is only the one before it"
    })
  }
  if (publicKey !== undefined) {
    const why = ({ reason: why }: PublicKeys.UnusableKey) => new UnsafeSetting({ name: "TODO_JWT_PUBLIC_KEY", why })
    return { publicKeys: yield* Effect.mapError(PublicKeys.fromText(publicKey), why) }
  }
  if (jwksUrl !== undefined) return { jwksUrl }
  if (current !== undefined) return { secrets: previous === undefined ? [current] : [current, previous] }
  return undefined
}) satisfies Effect.Effect<TokenKeys | undefined, unknown>

/** Everything `main` needs. `development` is a server on this machine alone, with a generated secret. */
export interface Settings {
  readonly server: ServerSettings
  readonly tokens: TokenSettings
  readonly development: boolean
  readonly migrate: "auto" | "check"
}

export const load = Effect.gen(function* () {
  const host = yield* settings.HOST.pipe(Config.withDefault("127.0.0.1"))
  const environment = yield* optional(Config.String("NODE_ENV"))
  const databaseUrl = yield* optional(settings.DATABASE_URL)
  const keys = yield* tokenKeys
  const issuer = yield* optional(settings.TODO_JWT_ISSUER)
  const audience = yield* optional(settings.TODO_JWT_AUDIENCE)

  const production = environment === "production" || !isLoopback(host)
  if (production && databaseUrl === undefined) {
    return yield* new MissingSetting({ name: "DATABASE_URL", why: "in production the database is your own" })
  }
  const development = !production && databaseUrl === undefined && keys === undefined
  if (!development) {
    if (keys === undefined) {
      const why = "tokens are verified with it, or with TODO_JWT_PUBLIC_KEY, or with the keys at TODO_JWKS_URL"
      return yield* new MissingSetting({ name: "TODO_JWT_SECRET", why })
    }
    const why = "outside development mode the server accepts only tokens of an issuer that you name"
    if (issuer === undefined) return yield* new MissingSetting({ name: "TODO_JWT_ISSUER", why })
    if (audience === undefined) return yield* new MissingSetting({ name: "TODO_JWT_AUDIENCE", why })
  }

  const rateLimit = yield* settings.TODO_RATE_LIMIT.pipe(Config.withDefault(production ? productionRateLimit : "off"))

  return {
    development,
    migrate: yield* settings.TODO_MIGRATE.pipe(Config.withDefault(databaseUrl === undefined ? "auto" : "check")),
    server: {
      host,
      port: yield* settings.PORT.pipe(Config.withDefault(3_000)),
      bodyLimit: yield* settings.TODO_BODY_LIMIT.pipe(
        Config.withDefault(ByteSize.kibibytes(256)),
        Config.map(ByteSize.toNumberUnsafe)
      ),
      corsOrigins: yield* settings.TODO_CORS_ORIGINS.pipe(
        Config.map((origins) => origins.split(",")),
        Config.withDefault([])
      ),
      rateLimit: rateLimit === "off" ? undefined : rateLimit,
      userLabel: yield* settings.TODO_LOG_USER.pipe(Config.withDefault("hashed" as const)),
      metricsPort: yield* optional(settings.TODO_METRICS_PORT),
      requestTimeout: yield* settings.TODO_REQUEST_TIMEOUT.pipe(Config.withDefault(Duration.seconds(10))),
      drainTimeout: yield* settings.TODO_DRAIN_TIMEOUT.pipe(Config.withDefault(Duration.seconds(10)))
    },
    tokens: {
      ...(keys ?? { secrets: [yield* developmentSecret] }),
      issuer: issuer ?? developmentClaims.issuer,
      audience: audience ?? developmentClaims.audience,
      type: yield* optional(settings.TODO_JWT_TYP),
      maxAge: yield* settings.TODO_JWT_MAX_AGE.pipe(Config.withDefault(Duration.hours(24)))
    }
  } satisfies Settings
})
