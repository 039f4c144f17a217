/**
 * Every setting of an installation, by its name in the environment, with its type and limits. Programs add defaults and the
 * demands of production.
 */
import { isIP, isIPv6 } from "node:net"
import * as ByteSize from "effect/ByteSize"
import * as Config from "effect/Config"
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { environment } from "../connection/Parameters.ts"
import { toInvalidInput } from "../domain/Input.ts"
import { missing } from "../domain/InputIssue.ts"
import { databaseUrl } from "../database/Database.ts"
import { originsMistake } from "./Origins.ts"
import { parsePublicUrl, publicUrlMistake } from "./PublicUrl.ts"
import { SchemaNameValue } from "../schema/SchemaName.ts"

/** The URL of a database. The `PG...` variables supply missing parts. */
const database = (name: string) =>
  Config.flatMap(environment, (environment) => Config.schema(Schema.RedactedFromValue(databaseUrl(environment)), name))

/** Secrets of tutorials, templates and standards, reduced to letters and digits. */
const published = new Set([
  "astringsecretatleast256bitslong",
  "supersecretjwttokenwithatleast32characterslong",
  "yoursupersecretjwttokenwithatleast32characterslong",
  "yoursecretkeymustbeatleast32characterslong",
  "reallyreallyreallyreallyverysafe",
  "404e635266556a586e3272357538782f413f4428472b4b6250645367566b5970",
  "aym1sysppbyfdfgzld3umj1qzkobvwmkoqqestjqlrt1qs0gzh75aktmn3yj0ips4hcguutwjazzr1z9caw"
])

const placeholder =
  /^(secret|supersecret|topsecret|(my|your|jwt)secret|secretkey|changeme|change|password|default|example|placeholder|letmein|qwerty)+$/

/** Whether an attacker would try the secret early: few different characters, a published secret or a placeholder. */
const isWeak = (secret: string): boolean => {
  const plain = secret.toLowerCase().replaceAll(/[^a-z0-9]/g, "")
  return new Set(secret).size < 5 || published.has(plain) || placeholder.test(plain.replaceAll(/\d/g, ""))
}

const secret = Schema.RedactedFromValue(
  Schema.String.check(
    // RFC 7518, 3.2: the key must be at least as long as the hash.
    Schema.makeFilter((text) => new TextEncoder().encode(text).length >= 32, {
      message: "must be a secret of at least 32 bytes, such as `openssl rand -base64 32` makes"
    }),
    Schema.makeFilter((text) => !isWeak(text), {
      message: "must be a secret that nobody can guess, such as `openssl rand -base64 32` makes"
    }),
    Schema.makeFilter((text) => !/^\s*(-----BEGIN|\{)/.test(text), {
      message: "must be a secret; put a public key into TODO_JWT_PUBLIC_KEY"
    })
  )
)

const isOnThisMachine = ({ hostname }: URL): boolean => /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(hostname)

/** The server of the keys must be authenticated, so the URL must be https. */
const keysUrl = Schema.URLFromString.check(
  Schema.makeFilter(
    (url) =>
      (url.protocol === "https:" || (url.protocol === "http:" && isOnThisMachine(url))) &&
      url.username === "" &&
      url.password === "",
    { expected: "an https URL without a password (http only for this machine)" }
  )
)

/** Origins (RFC 6454), separated by commas: `https://app.example.com,http://localhost:5173`. */
const origins = Schema.String.check(Schema.makeFilter(originsMistake))

/** The URL at which clients reach the server: `https://example.com/api`. */
const publicUrl = (name: string) =>
  Config.map(Config.schema(Schema.String.check(Schema.makeFilter(publicUrlMistake)), name), parsePublicUrl)

/** A setting that `parse` converts from text. If it returns `undefined`, the message says what was `expected`. */
const parsed = <A>(name: string, expected: string, parse: (text: string) => A | undefined): Config.Config<A> =>
  Config.map(
    Config.schema(Schema.String.check(Schema.makeFilter((text) => parse(text) !== undefined, { expected })), name),
    (text) => parse(text) as A
  )

const whole = (name: string, minimum: number, maximum: number) =>
  parsed(name, `a whole number from ${minimum} to ${maximum}`, (text) => {
    const number = /^\d{1,9}$/.test(text) ? Number(text) : -1
    return number >= minimum && number <= maximum ? number : undefined
  })

const units = { ms: "millis", s: "seconds", m: "minutes", h: "hours", d: "days" } as const

/** A duration such as `10s`, `500ms`, `30m`, `12h`, `7d` or `10 seconds`. */
const parseDuration = (text: string): Duration.Duration | undefined => {
  const short = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h|d)$/.exec(text)
  const words = short === null ? text : `${short[1]} ${units[short[2] as keyof typeof units]}`
  return Option.getOrUndefined(Duration.fromInput(words as Duration.Input))
}

/** A duration below 2^31 milliseconds, the limit of timers in Node.js. */
const duration = (name: string, minimum: 0 | 1 = 1) =>
  parsed(name, `a time from ${minimum}ms to 24d, such as 10s or 10 seconds`, (text) => {
    const value = parseDuration(text)
    if (value === undefined) return undefined
    const milliseconds = Duration.toMillis(value)
    return milliseconds >= minimum && milliseconds < 2 ** 31 ? value : undefined
  })

/** A size in bytes. */
const size = (name: string) =>
  parsed(name, "a size of 1 byte to 1 GiB, such as 262144 or 256 KiB", (text) => {
    const value = ByteSize.fromString(/^\d+$/.test(text) ? `${text} B` : text)
    const bytes = Number(Option.getOrElse(value, () => 0))
    return bytes >= 1 && bytes <= 2 ** 30 ? bytes : undefined
  })

const windows = { second: Duration.seconds(1), minute: Duration.minutes(1), hour: Duration.hours(1) }

/** A number of requests per second, minute or hour (default: minute), or `off`. */
const rateLimit = (name: string) =>
  parsed(name, "a number of requests, such as 600/minute, or off", (text) => {
    const [, requests, window = "minute"] = /^([1-9]\d{0,8})(?:\/(second|minute|hour))?$/.exec(text) ?? []
    if (text === "off") return text
    if (requests === undefined) return undefined
    return { requests: Number(requests), window: windows[window as keyof typeof windows] }
  })

const hostName = /^(?=.{1,253}$)[a-z0-9_]([\w-]*[a-z0-9_])?(\.[a-z0-9_]([\w-]*[a-z0-9_])?)*\.?$/i

/** A host to listen on. IPv6 addresses may be in brackets, as in URLs. */
const host = (name: string) =>
  parsed(name, "an address or a name of this machine without a port, such as 127.0.0.1, ::1 or 0.0.0.0", (text) => {
    const bare = /^\[(.*)\]$/.exec(text)?.[1]
    if (bare !== undefined) return isIPv6(bare) ? bare : undefined
    return isIP(text) !== 0 || hostName.test(text) ? text : undefined
  })

/** Every setting by its name in the environment. Each `Config` fails if the setting is missing or invalid. */
export const settings = {
  DATABASE_URL: database("DATABASE_URL"),
  TODO_MIGRATE_URL: database("TODO_MIGRATE_URL"),
  TODO_SCHEMA: Config.schema(SchemaNameValue, "TODO_SCHEMA"),
  TODO_DATA_DIR: Config.NonEmptyString("TODO_DATA_DIR"),
  TODO_ALLOW_UNSAFE_ROLE: Config.Boolean("TODO_ALLOW_UNSAFE_ROLE"),
  TODO_MIGRATE: Config.Literals(["auto", "check"], "TODO_MIGRATE"),
  TODO_DATABASE_POOL: whole("TODO_DATABASE_POOL", 1, 1_000),
  TODO_DATABASE_PREPARE: Config.Boolean("TODO_DATABASE_PREPARE"),
  HOST: host("HOST"),
  PORT: whole("PORT", 0, 65_535),
  TODO_JWT_SECRET: Config.schema(secret, "TODO_JWT_SECRET"),
  TODO_JWT_SECRET_PREVIOUS: Config.schema(secret, "TODO_JWT_SECRET_PREVIOUS"),
  TODO_JWT_PUBLIC_KEY: Config.NonEmptyString("TODO_JWT_PUBLIC_KEY"),
  TODO_JWKS_URL: Config.schema(keysUrl, "TODO_JWKS_URL"),
  TODO_JWT_ISSUER: Config.NonEmptyString("TODO_JWT_ISSUER"),
  TODO_JWT_AUDIENCE: Config.NonEmptyString("TODO_JWT_AUDIENCE"),
  TODO_JWT_TYP: Config.NonEmptyString("TODO_JWT_TYP"),
  TODO_JWT_MAX_AGE: duration("TODO_JWT_MAX_AGE"),
  TODO_PUBLIC_URL: publicUrl("TODO_PUBLIC_URL"),
  TODO_CORS_ORIGINS: Config.schema(origins, "TODO_CORS_ORIGINS"),
  TODO_RATE_LIMIT: rateLimit("TODO_RATE_LIMIT"),
  TODO_BODY_LIMIT: size("TODO_BODY_LIMIT"),
  TODO_REQUEST_TIMEOUT: duration("TODO_REQUEST_TIMEOUT"),
  TODO_MAX_CONNECTIONS: whole("TODO_MAX_CONNECTIONS", 1, 1_000_000),
  TODO_DRAIN_DELAY: duration("TODO_DRAIN_DELAY", 0),
  TODO_DRAIN_TIMEOUT: duration("TODO_DRAIN_TIMEOUT"),
  TODO_METRICS_PORT: whole("TODO_METRICS_PORT", 1, 65_535),
  TODO_LOG_LEVEL: Config.LogLevel("TODO_LOG_LEVEL"),
  TODO_LOG_USER: Config.Literals(["hashed", "plain"], "TODO_LOG_USER"),
  TODO_LOG_FORMAT: Config.Literals(["pretty", "json"], "TODO_LOG_FORMAT"),
  OTEL_EXPORTER_OTLP_ENDPOINT: Config.URL("OTEL_EXPORTER_OTLP_ENDPOINT")
} as const

/** The message for an invalid setting, in one line: its name and the reason, never its value. */
export const settingMessage = (error: Config.ConfigError): string => {
  if (!Schema.isSchemaError(error.cause)) return error.cause.message
  const [issue] = toInvalidInput(error.cause.issue).errors
  const name = issue?.pointer.slice(1)
  return issue?.message === missing ? `${name} is not set` : `${name}: ${issue?.message}`
}
