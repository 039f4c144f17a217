/**
 * The settings that a server requires: its database, and whose tokens it accepts. Without them it does not start. `doctor`
 * runs the same check.
 */
import { isIPv6 } from "node:net"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { settings } from "./settings.ts"

/** A required setting is missing. */
export class MissingSetting extends Schema.TaggedError<MissingSetting>()("MissingSetting", {
  name: Schema.String,
  why: Schema.String
}) {
  override get message() {
    return `${this.name} is not set: ${this.why}`
  }
}

/** A setting is unsafe, or settings are unsafe together. */
export class UnsafeSetting extends Schema.TaggedError<UnsafeSetting>()("UnsafeSetting", {
  name: Schema.String,
  why: Schema.String
}) {
  override get message() {
    return `${this.name}: ${this.why}`
  }
}

/** The keys for tokens: one or two HS256 secrets, a public key, or the URL of a key set. */
export type TokenKeySettings =
  | { readonly secrets: ReadonlyArray<Redacted.Redacted> }
  | { readonly publicKey: string }
  | { readonly jwksUrl: URL }

/** Whether only this machine can connect to the host. `URL` normalises the spellings of IPv6 addresses. */
const isLoopback = (host: string): boolean => {
  if (isIPv6(host)) return URL.parse(`http://[${host}]`)?.hostname === "[::1]"
  return host.toLowerCase() === "localhost" || /^127(\.\d{1,3}){3}$/.test(host)
}

const optional = <A>(config: Config.Config<A>) => Effect.map(Config.option(config), Option.getOrUndefined)

/** The address on which the server listens. */
const host = settings.HOST.pipe(Config.withDefault("127.0.0.1"))

/** Whether the server is in production: `NODE_ENV` says so, or other machines can connect. Then nothing is generated. */
export const isProduction = Effect.gen(function* () {
  const environment = yield* optional(Config.String("NODE_ENV"))
  return environment === "production" || !isLoopback(yield* host)
})

/** The keys for tokens, all of one kind, or `undefined`. */
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
      why: "set only one of them; keys of two kinds cannot be combined"
    })
  }
  if (previous !== undefined && current === undefined) {
    return yield* new MissingSetting({
      name: "TODO_JWT_SECRET",
      why: "TODO_JWT_SECRET_PREVIOUS only accepts tokens of the secret before it"
    })
  }
  if (publicKey !== undefined) return { publicKey }
  if (jwksUrl !== undefined) return { jwksUrl }
  if (current !== undefined) return { secrets: previous === undefined ? [current] : [current, previous] }
  return undefined
}) satisfies Effect.Effect<TokenKeySettings | undefined, unknown>

/**
 * Reads the required settings. `development` is true for a server that only this machine can reach, without database URL and
 * keys: it uses the embedded database and a generated secret.
 */
export const load = Effect.gen(function* () {
  const production = yield* isProduction
  const databaseUrl = yield* optional(settings.DATABASE_URL)
  const keys = yield* tokenKeys
  const issuer = yield* optional(settings.TODO_JWT_ISSUER)
  const audience = yield* optional(settings.TODO_JWT_AUDIENCE)

  if (production && databaseUrl === undefined) {
    return yield* new MissingSetting({ name: "DATABASE_URL", why: "in production the server needs your own database" })
  }
  const development = !production && databaseUrl === undefined && keys === undefined
  if (!development) {
    if (keys === undefined) {
      const why = "tokens are verified with it; TODO_JWT_PUBLIC_KEY or TODO_JWKS_URL can take its place"
      return yield* new MissingSetting({ name: "TODO_JWT_SECRET", why })
    }
    const why = "outside development mode the server accepts only tokens of an issuer that you name"
    if (issuer === undefined) return yield* new MissingSetting({ name: "TODO_JWT_ISSUER", why })
    if (audience === undefined) return yield* new MissingSetting({ name: "TODO_JWT_AUDIENCE", why })
  }
  return { host: yield* host, development, keys, issuer, audience }
})
