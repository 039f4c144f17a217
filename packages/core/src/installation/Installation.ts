/**
 * The installation on this machine: its database (`DATABASE_URL`, or else the embedded one in `TODO_DATA_DIR`) and the secret
 * of development mode.
 */
import { randomBytes } from "node:crypto"
import { link, readFile, rm, writeFile } from "node:fs/promises"
import { join, resolve } from "node:path"
import * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import * as Database from "../database/Database.ts"
import { EmbeddedPostgres, EmbeddedPostgresError } from "../embedded/EmbeddedPostgres.ts"
import { prepare as prepareDataDirectory } from "../embedded/DataDirectory.ts"
import { SchemaName } from "../schema/SchemaName.ts"
import { settings } from "./settings.ts"

export * as ServerRequirements from "./ServerRequirements.ts"
export type { MissingSetting, UnsafeSetting } from "./ServerRequirements.ts"
export { settingMessage, settings } from "./settings.ts"
export { unknownSettings } from "./unknownSettings.ts"

export type { InvalidDatabaseUrl } from "../connection/InvalidDatabaseUrl.ts"
export type { EmbeddedPostgresError } from "../embedded/EmbeddedPostgres.ts"

const tooShort = "too short"

/** A file of the data directory could not be read or created. `code` is the error code of the system. */
export class DataDirectoryError extends Schema.TaggedError<DataDirectoryError>()("DataDirectoryError", {
  path: Schema.String,
  code: Schema.String
}) {
  override get message() {
    if (this.code === tooShort) return `${this.path} has less than 32 characters; delete it to get a new secret`
    return `cannot use ${this.path} (${this.code}); set TODO_DATA_DIR to a writable directory`
  }
}

/** Settings that contradict each other. */
export class SettingsConflict extends Schema.TaggedError<SettingsConflict>()("SettingsConflict", {
  why: Schema.String
}) {
  override get message() {
    return this.why
  }
}

/** The database of this installation. */
export class Installation extends Context.Service<
  Installation,
  {
    /** The URL for servers. */
    readonly url: Redacted.Redacted
    /** The URL for migrations. Default: `url`. */
    readonly migrateUrl: Redacted.Redacted
    /** The role in `url`, for `migrate up --runtime-role`; `undefined` if migrations use the same URL. */
    readonly runtimeRole: string | undefined
    /** The directory of the embedded database; `undefined` if `DATABASE_URL` is set. */
    readonly embedded: string | undefined
  }
>()("@todo/core/Installation") {
  /**
   * Reads the URLs. It starts or joins the embedded database if `DATABASE_URL` is not set.
   *
   * @param onProgress receives a line before slow steps of the embedded database.
   */
  static readonly layer = (
    onProgress: (line: string) => Effect.Effect<void> = () => Effect.void
  ): Layer.Layer<
    Installation,
    EmbeddedPostgresError | SettingsConflict | Database.InvalidDatabaseUrl | Config.ConfigError
  > =>
    Layer.unwrap(
      Effect.gen(function* () {
        const url = yield* Config.option(settings.DATABASE_URL)
        const migrateUrl = yield* Config.option(settings.TODO_MIGRATE_URL)
        if (Option.isNone(url)) {
          if (Option.isSome(migrateUrl)) {
            const why =
              "TODO_MIGRATE_URL is set and DATABASE_URL is not: set both, or neither for the embedded database"
            return yield* new SettingsConflict({ why })
          }
          const directory = resolve(yield* dataDirectory)
          return layerEmbedded.pipe(Layer.provide(EmbeddedPostgres.layer({ directory, onProgress })))
        }
        return Layer.succeed(Installation, {
          url: url.value,
          migrateUrl: Option.getOrElse(migrateUrl, () => url.value),
          runtimeRole: Option.isSome(migrateUrl) ? (yield* Database.address(url.value)).role : undefined,
          embedded: undefined
        })
      })
    )

  /** The connection pool of servers, with the size and the options of the settings. */
  static readonly layerDatabase: DatabaseLayer = Layer.unwrap(
    Effect.gen(function* () {
      const { url } = yield* Installation
      return Database.layer({ url, poolSize: yield* poolSize, prepare: yield* prepare })
    })
  )

  /** One connection with `migrateUrl` and without time limits, for migrations. */
  static readonly layerMigrations: DatabaseLayer = Layer.unwrap(
    Effect.gen(function* () {
      const { migrateUrl } = yield* Installation
      return Database.layer({
        url: migrateUrl,
        poolSize: 1,
        prepare: yield* prepare,
        applicationName: "todo migrate",
        unlimited: true
      })
    })
  )

  /** The schema that `TODO_SCHEMA` names. */
  static readonly layerSchema: Layer.Layer<never, Config.ConfigError> = Layer.effect(
    SchemaName,
    Effect.gen(function* () {
      return yield* settings.TODO_SCHEMA.pipe(Config.withDefault("todo"))
    })
  )
}

type DatabaseLayer = Layer.Layer<
  SqlClient.SqlClient,
  SqlError | Database.InvalidDatabaseUrl | Config.ConfigError,
  Installation
>

const layerEmbedded = Layer.effect(
  Installation,
  Effect.gen(function* () {
    const { directory, migrateUrl, url } = yield* EmbeddedPostgres
    return { url, migrateUrl, runtimeRole: (yield* Database.address(url)).role, embedded: directory }
  })
)

const dataDirectory = settings.TODO_DATA_DIR.pipe(Config.withDefault(".todo"))
const poolSize = settings.TODO_DATABASE_POOL.pipe(Config.withDefault(10))

/** Whether statements are prepared by name. */
export const prepare = settings.TODO_DATABASE_PREPARE.pipe(Config.withDefault(true))

/** Whether a program migrates at its start (`auto`) or checks the schema: `auto` by default for the embedded database only. */
export const migrateMode = Effect.gen(function* () {
  const url = yield* Config.option(settings.DATABASE_URL)
  return yield* settings.TODO_MIGRATE.pipe(Config.withDefault(Option.isNone(url) ? "auto" : "check"))
})

/** The longest time for which servers accept a token. */
export const maxTokenAge = settings.TODO_JWT_MAX_AGE.pipe(Config.withDefault(Duration.hours(24)))

/** Issuer and audience of the tokens of development mode. */
export const developmentClaims = { issuer: "todo", audience: "todo" } as const

/**
 * The HS256 secret of development mode. It is generated once and stored in the data directory, readable only for its owner.
 * Programs that start at the same time get the same secret.
 *
 * Fails with `DataDirectoryError`. If the directory has other files, it fails with `EmbeddedPostgresError` before anything
 * is written.
 */
export const developmentSecret: Effect.Effect<
  Redacted.Redacted,
  DataDirectoryError | EmbeddedPostgresError | Config.ConfigError
> = Effect.gen(function* () {
  const directory = resolve(yield* dataDirectory)
  const path = join(directory, "jwt-secret")
  return yield* Effect.tryPromise({
    try: async () => {
      await prepareDataDirectory(directory)
      const kept = await readFile(path, "utf8").catch(ignore("ENOENT"))
      if (kept !== undefined && kept !== "") {
        if (kept.length >= 32) return Redacted.make(kept)
        throw new DataDirectoryError({ path, code: tooShort })
      }
      // A crash of the machine can leave an empty file.
      if (kept === "") await rm(path)
      const draft = `${path}.${process.pid}`
      await rm(draft, { force: true })
      await writeFile(draft, randomBytes(32).toString("base64url"), { flag: "wx", mode: 0o600 })
      // A hard link appears with the complete file, and only the first process succeeds.
      await link(draft, path).catch(ignore("EEXIST"))
      await rm(draft)
      return Redacted.make(await readFile(path, "utf8"))
    },
    catch: (error) => {
      if (error instanceof EmbeddedPostgresError || error instanceof DataDirectoryError) return error
      return new DataDirectoryError({ path, code: (error as NodeJS.ErrnoException).code ?? "unknown error" })
    }
  })
})

/** Ignores errors with this code. */
const ignore = (code: string) => (error: NodeJS.ErrnoException) => {
  if (error.code !== code) throw error
}
