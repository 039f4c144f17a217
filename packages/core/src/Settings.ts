/**
 * Every setting of an installation, by its name in the environment. What a program reads
 * on top of the type (defaults, what production demands) is the program's.
 */
import * as Config from "effect/Config"
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import { DatabaseUrl } from "./Database.ts"
import { SchemaNameValue } from "./SchemaName.ts"

const databaseUrl = Schema.RedactedFromValue(DatabaseUrl)

const whole = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

/** Secrets of tutorials, templates and standards, without what is not a letter or digit. */
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

/** Whether whoever attacks tries it among the first. */
const isWeak = (secret: string): boolean => {
  const plain = secret.toLowerCase().replaceAll(/[^a-z0-9]/g, "")
  return new Set(secret).size < 5 || published.has(plain) || placeholder.test(plain.replaceAll(/\d/g, ""))
}

const secret = Schema.RedactedFromValue(
  Schema.String.check(
    // RFC 7518, 3.2: a key as long as the hash.
    Schema.makeFilter((text) => new TextEncoder().encode(text).length >= 32, {
      expected: "a secret of at least 32 bytes"
    }),
    Schema.makeFilter((text) => !isWeak(text), {
      expected: "a secret that nobody can guess, such as `openssl rand -base64 32` makes"
    }),
    Schema.makeFilter((text) => !/^\s*(-----BEGIN|\{)/.test(text), {
      expected: "a secret; a public key belongs into TODO_JWT_PUBLIC_KEY"
    })
  )
)

const isOnThisMachine = ({ hostname }: URL): boolean => /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(hostname)

/** Where keys come from must be who it says it is. */
const keysUrl = Schema.URLFromString.check(
  Schema.makeFilter(
    (url) =>
      (url.protocol === "https:" || (url.protocol === "http:" && isOnThisMachine(url))) &&
      url.username === "" &&
      url.password === "",
    { expected: "an https URL without a password (http on this machine alone)" }
  )
)

const duration = Schema.DurationFromString.check(
  Schema.makeFilter((value) => Duration.toMillis(value) > 0 && Duration.toMillis(value) < 2 ** 31, {
    expected: "a duration of more than 0 and less than 24 days"
  })
)

/** Origins (RFC 6454) with commas between them: `https://app.example.com,http://localhost:5173`. */
const origins = Schema.String.check(
  Schema.makeFilter(
    (text) => text.split(",").every((origin) => URL.canParse(origin) && new URL(origin).origin === origin),
    { expected: "origins with commas between them, each like https://app.example.com" }
  )
)

const windows = { second: Duration.seconds(1), minute: Duration.minutes(1), hour: Duration.hours(1) }

/** So many requests in a length of time, a minute where none is given; or `off`. */
const rateLimit = Schema.String.check(
  Schema.isPattern(/^(off|[1-9]\d{0,8}(\/(second|minute|hour))?)$/, {
    expected: "a number of requests, such as 600/minute, or off"
  })
)

const parseRateLimit = (text: string) => {
  const [requests, window = "minute"] = text.split("/")
  return text === "off" ? text : { requests: Number(requests), window: windows[window as keyof typeof windows] }
}

/** By name, as the environment has them; each fails where it is missing or wrong. */
export const settings = {
  DATABASE_URL: Config.schema(databaseUrl, "DATABASE_URL"),
  TODO_MIGRATE_URL: Config.schema(databaseUrl, "TODO_MIGRATE_URL"),
  TODO_SCHEMA: Config.schema(SchemaNameValue, "TODO_SCHEMA"),
  TODO_DATA_DIR: Config.NonEmptyString("TODO_DATA_DIR"),
  TODO_MIGRATE: Config.Literals(["auto", "check"], "TODO_MIGRATE"),
  TODO_DATABASE_POOL: Config.schema(whole(1, 1_000), "TODO_DATABASE_POOL"),
  TODO_DATABASE_PREPARE: Config.Boolean("TODO_DATABASE_PREPARE"),
  HOST: Config.NonEmptyString("HOST"),
  PORT: Config.schema(whole(0, 65_535), "PORT"),
  TODO_JWT_SECRET: Config.schema(secret, "TODO_JWT_SECRET"),
  TODO_JWT_SECRET_PREVIOUS: Config.schema(secret, "TODO_JWT_SECRET_PREVIOUS"),
  TODO_JWT_PUBLIC_KEY: Config.NonEmptyString("TODO_JWT_PUBLIC_KEY"),
  TODO_JWKS_URL: Config.schema(keysUrl, "TODO_JWKS_URL"),
  TODO_JWT_ISSUER: Config.NonEmptyString("TODO_JWT_ISSUER"),
  TODO_JWT_AUDIENCE: Config.NonEmptyString("TODO_JWT_AUDIENCE"),
  TODO_JWT_TYP: Config.NonEmptyString("TODO_JWT_TYP"),
  TODO_JWT_MAX_AGE: Config.schema(duration, "TODO_JWT_MAX_AGE"),
  TODO_CORS_ORIGINS: Config.schema(origins, "TODO_CORS_ORIGINS"),
  TODO_RATE_LIMIT: Config.map(Config.schema(rateLimit, "TODO_RATE_LIMIT"), parseRateLimit),
  TODO_BODY_LIMIT: Config.ByteSize("TODO_BODY_LIMIT"),
  TODO_REQUEST_TIMEOUT: Config.schema(duration, "TODO_REQUEST_TIMEOUT"),
  TODO_MAX_CONNECTIONS: Config.schema(whole(1, 1_000_000), "TODO_MAX_CONNECTIONS"),
  TODO_DRAIN_DELAY: Config.schema(duration, "TODO_DRAIN_DELAY"),
  TODO_DRAIN_TIMEOUT: Config.schema(duration, "TODO_DRAIN_TIMEOUT"),
  TODO_METRICS_PORT: Config.schema(whole(1, 65_535), "TODO_METRICS_PORT"),
  TODO_LOG_LEVEL: Config.LogLevel("TODO_LOG_LEVEL"),
  TODO_LOG_USER: Config.Literals(["hashed", "plain"], "TODO_LOG_USER"),
  TODO_LOG_FORMAT: Config.Literals(["pretty", "json"], "TODO_LOG_FORMAT"),
  OTEL_EXPORTER_OTLP_ENDPOINT: Config.URL("OTEL_EXPORTER_OTLP_ENDPOINT")
} as const

const format = SchemaIssue.makeFormatterStandardSchemaV1()

/** What is wrong with a setting, in one line: its name and the reason, never its value. */
export const settingMessage = (error: Config.ConfigError): string => {
  if (!Schema.isSchemaError(error.cause)) return error.cause.message
  const [issue] = format(error.cause.issue).issues
  const name = (issue?.path ?? []).map((part) => String(typeof part === "object" ? part.key : part)).join(".")
  return issue?.message === "Missing key" ? `${name} is not set` : `${name}: ${issue?.message ?? "not valid"}`
}
