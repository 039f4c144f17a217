/**
 * Reads the settings of the server from the environment, once at the start. A missing or invalid value stops the start
 * with the name of the setting and the reason.
 */
import {
  developmentClaims,
  developmentSecret,
  maxTokenAge,
  migrateMode,
  ServerRequirements,
  settings
} from "@todo/core/installation"
import * as Config from "effect/Config"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { ServerSettings } from "../serve/Server.ts"
import type { TokenKeys, TokenSettings } from "../auth/TokenVerifier.ts"
import { methodsWithMetrics } from "../api/PathTemplates.ts"
import * as PublicKeys from "../auth/PublicKeys.ts"

/** Far above normal use. It stops a client that repeats requests in a loop. */
const productionRateLimit = { requests: 60_000, window: Duration.minutes(1) }

const optional = <A>(config: Config.Config<A>) => Effect.map(Config.option(config), Option.getOrUndefined)

const publicKeys = (text: string) =>
  Effect.mapError(
    PublicKeys.fromText(text),
    ({ reason: why }) => new ServerRequirements.UnsafeSetting({ name: "TODO_JWT_PUBLIC_KEY", why })
  )

/** The first segments of the paths of the API: `/v1`, `/docs`, `/livez` and others. */
const ownPaths = new Set([...methodsWithMetrics.keys()].map((path) => path.split("/", 2).join("/")))

/** Refuses a public path that begins like a path of the API: the server could not see whether a proxy has removed it. */
const checkPublicPath = (publicUrl: string | undefined) => {
  const first = publicUrl === undefined ? "" : new URL(publicUrl).pathname.split("/", 2).join("/")
  return ownPaths.has(first)
    ? Effect.fail(
        new ServerRequirements.UnsafeSetting({
          name: "TODO_PUBLIC_URL",
          why: `its path begins with ${first}, which is a path of the API itself; leave ${first} out, or choose another path`
        })
      )
    : Effect.void
}

/** All settings of the program. `development` serves this machine only, with a generated secret. */
export interface ProgramSettings {
  readonly server: ServerSettings
  readonly tokens: TokenSettings
  readonly development: boolean
  readonly migrate: "auto" | "check"
  /** Whether the server may run with a database role that can bypass row-level security. `false` in production by default. */
  readonly allowUnsafeRole: boolean
}

export const loadSettings = Effect.gen(function* () {
  const { audience, development, host, issuer, keys } = yield* ServerRequirements.load
  const tokenKeys: TokenKeys =
    keys === undefined
      ? { secrets: [yield* developmentSecret] }
      : "publicKey" in keys
        ? { publicKeys: yield* publicKeys(keys.publicKey) }
        : keys

  const rateLimit = yield* settings.TODO_RATE_LIMIT.pipe(
    Config.withDefault((yield* ServerRequirements.isProduction) ? productionRateLimit : "off")
  )

  const port = yield* settings.PORT.pipe(Config.withDefault(3_000))
  const metricsPort = yield* optional(settings.TODO_METRICS_PORT)
  if (metricsPort === port) {
    return yield* new ServerRequirements.UnsafeSetting({
      name: "TODO_METRICS_PORT",
      why: `${port} is the PORT of the API; set another, or none to serve /metrics beside the API`
    })
  }

  const publicUrl = yield* optional(settings.TODO_PUBLIC_URL)
  yield* checkPublicPath(publicUrl)

  return {
    development,
    allowUnsafeRole: yield* settings.TODO_ALLOW_UNSAFE_ROLE.pipe(
      Config.withDefault(!(yield* ServerRequirements.isProduction))
    ),
    migrate: yield* migrateMode,
    server: {
      development,
      host,
      port,
      publicUrl,
      bodyLimit: yield* settings.TODO_BODY_LIMIT.pipe(Config.withDefault(256 * 1_024)),
      corsOrigins: yield* settings.TODO_CORS_ORIGINS.pipe(
        Config.map((origins) => origins.split(",")),
        Config.withDefault([])
      ),
      rateLimit: rateLimit === "off" ? undefined : rateLimit,
      userLabel: yield* settings.TODO_LOG_USER.pipe(Config.withDefault("hashed" as const)),
      metricsPort,
      requestTimeout: yield* settings.TODO_REQUEST_TIMEOUT.pipe(Config.withDefault(Duration.seconds(10))),
      drainTimeout: yield* settings.TODO_DRAIN_TIMEOUT.pipe(Config.withDefault(Duration.seconds(10))),
      maxConnections: yield* optional(settings.TODO_MAX_CONNECTIONS),
      drainDelay: yield* settings.TODO_DRAIN_DELAY.pipe(Config.withDefault(Duration.zero))
    },
    tokens: {
      ...tokenKeys,
      issuer: issuer ?? developmentClaims.issuer,
      audience: audience ?? developmentClaims.audience,
      type: yield* optional(settings.TODO_JWT_TYP),
      maxAge: yield* maxTokenAge
    }
  } satisfies ProgramSettings
})
