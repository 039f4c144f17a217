/**
 * What a server must be told before it may serve: who it serves, and whose tokens it
 * accepts. It does not start where something is missing, and `doctor` says so before.
 */
import { isIPv6 } from "node:net"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { settings } from "./settings.ts"

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

/** The keys that are set, as they are set. */
export type TokenKeySettings =
  | { readonly secrets: ReadonlyArray<Redacted.Redacted> }
  | { readonly publicKey: string }
  | { readonly jwksUrl: URL }

/** Only this machine is served there. IPv6 addresses have several spellings, of which a URL makes one. */
const isLoopback = (host: string): boolean => {
  if (isIPv6(host)) return URL.parse(`http://[${host}]`)?.hostname === "[::1]"
  return host.toLowerCase() === "localhost" || /^127(\.\d{1,3}){3}$/.test(host)
}

const optional = <A>(config: Config.Config<A>) => Effect.map(Config.option(config), Option.getOrUndefined)

/** Where the server listens. */
const host = settings.HOST.pipe(Config.withDefault("127.0.0.1"))

/** Whether others than this machine may be served: nothing is made up then. */
export const isProduction = Effect.gen(function* () {
  const environment = yield* optional(Config.String("NODE_ENV"))
  return environment === "production" || !isLoopback(yield* host)
})

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
  if (publicKey !== undefined) return { publicKey }
  if (jwksUrl !== undefined) return { jwksUrl }
  if (current !== undefined) return { secrets: previous === undefined ? [current] : [current, previous] }
  return undefined
}) satisfies Effect.Effect<TokenKeySettings | undefined, unknown>

/** `development` is a server on this machine alone, which makes up what it is not told. */
export const load = Effect.gen(function* () {
  const production = yield* isProduction
  const databaseUrl = yield* optional(settings.DATABASE_URL)
  const keys = yield* tokenKeys
  const issuer = yield* optional(settings.TODO_JWT_ISSUER)
  const audience = yield* optional(settings.TODO_JWT_AUDIENCE)

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
  return { host: yield* host, development, databaseUrl, keys, issuer, audience }
})
