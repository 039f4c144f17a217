/**
 * Every setting of an installation, so that `doctor` can check them all at once, the
 * server's too. What a server reads on top of the type (defaults, what production
 * demands) is the server's.
 */
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Database from "../Database.ts"
import { settingMessage } from "../Installation.ts"
import { SchemaNameValue } from "../SchemaName.ts"
import { type Finding, failed, passed, warning } from "./Finding.ts"

const secret = Schema.RedactedFromValue(
  Schema.String.check(
    // RFC 7518, 3.2: a key as long as the hash.
    Schema.makeFilter((text) => new TextEncoder().encode(text).length >= 32, {
      expected: "a secret of at least 32 bytes"
    })
  )
)

const duration = Schema.DurationFromString.check(
  Schema.makeFilter((value) => Duration.toMillis(value) > 0 && Duration.toMillis(value) < 2 ** 31, {
    expected: "a duration of more than 0 and less than 24 days"
  })
)

/** By name, as the environment has them; each fails where it is missing or wrong. */
export const settings = {
  DATABASE_URL: Database.config.url,
  TODO_MIGRATE_URL: Database.config.migrateUrl,
  TODO_SCHEMA: Config.schema(SchemaNameValue, "TODO_SCHEMA"),
  TODO_DATA_DIR: Config.NonEmptyString("TODO_DATA_DIR"),
  TODO_MIGRATE: Config.Literals(["auto", "check"], "TODO_MIGRATE"),
  TODO_DATABASE_POOL: Database.config.poolSize,
  TODO_DATABASE_PREPARE: Database.config.prepare,
  HOST: Config.NonEmptyString("HOST"),
  PORT: Config.schema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 65_535 })), "PORT"),
  TODO_JWT_SECRET: Config.schema(secret, "TODO_JWT_SECRET"),
  TODO_JWT_SECRET_PREVIOUS: Config.schema(secret, "TODO_JWT_SECRET_PREVIOUS"),
  TODO_JWT_PUBLIC_KEY: Config.NonEmptyString("TODO_JWT_PUBLIC_KEY"),
  TODO_JWKS_URL: Config.URL("TODO_JWKS_URL"),
  TODO_JWT_ISSUER: Config.NonEmptyString("TODO_JWT_ISSUER"),
  TODO_JWT_AUDIENCE: Config.NonEmptyString("TODO_JWT_AUDIENCE"),
  TODO_JWT_TYP: Config.NonEmptyString("TODO_JWT_TYP"),
  TODO_JWT_MAX_AGE: Config.schema(duration, "TODO_JWT_MAX_AGE"),
  TODO_CORS_ORIGINS: Config.NonEmptyString("TODO_CORS_ORIGINS"),
  TODO_RATE_LIMIT: Config.NonEmptyString("TODO_RATE_LIMIT"),
  TODO_BODY_LIMIT: Config.ByteSize("TODO_BODY_LIMIT"),
  TODO_REQUEST_TIMEOUT: Config.schema(duration, "TODO_REQUEST_TIMEOUT"),
  TODO_DRAIN_TIMEOUT: Config.schema(duration, "TODO_DRAIN_TIMEOUT"),
  TODO_LOG_LEVEL: Config.NonEmptyString("TODO_LOG_LEVEL"),
  TODO_LOG_FORMAT: Config.Literals(["pretty", "json"], "TODO_LOG_FORMAT"),
  OTEL_EXPORTER_OTLP_ENDPOINT: Config.URL("OTEL_EXPORTER_OTLP_ENDPOINT")
} as const

/** Whether what is set is valid and known, and whether anything set is without effect. */
export const check: Effect.Effect<ReadonlyArray<Finding>> = Effect.gen(function* () {
  const findings: Array<Finding> = []
  const configs: ReadonlyArray<Config.Config<unknown>> = Object.values(settings)
  for (const config of configs) {
    yield* Effect.catch(Config.option(config), (error) =>
      Effect.sync(() =>
        findings.push(failed("settings", settingMessage(error), "correct it, or unset it for its default"))
      )
    )
  }

  const set = yield* namesSet(["TODO"])
  const known = new Set(Object.keys(settings))
  for (const name of set.filter((name) => !known.has(name))) {
    findings.push(warning("settings", `${name} is set, but there is no such setting`, "correct its name or unset it"))
  }
  if (set.includes("TODO_MIGRATE_URL") && (yield* namesSet(["DATABASE"])).every((name) => name !== "DATABASE_URL")) {
    const mend = "set DATABASE_URL as well, or unset TODO_MIGRATE_URL"
    findings.push(warning("settings", "TODO_MIGRATE_URL has no effect on the embedded database", mend))
  }
  return findings.length > 0 ? findings : [passed("settings", "what is set is valid")]
})

/** The names in the environment that begin with these words; a provider only tells the next word of each. */
const namesSet = (words: ReadonlyArray<string>): Effect.Effect<ReadonlyArray<string>> =>
  Effect.gen(function* () {
    const node = yield* Effect.orDie((yield* ConfigProvider.ConfigProvider).load(words))
    if (node === undefined) return []
    const next =
      node._tag === "Record"
        ? [...node.keys]
        : node._tag === "Array"
          ? Array.from({ length: node.length }, (_, at) => `${at}`)
          : []
    const longer = yield* Effect.forEach(next, (word) => namesSet([...words, word]))
    return [...(node.value === undefined ? [] : [words.join("_")]), ...longer.flat()]
  })
