/**
 * Creates and upgrades the database schema, and checks that it is the one of this release.
 *
 * - `up` applies what is missing; run it as the owner of the database, once for each release.
 * - `check` fails if the schema is not the one of this release; run it when a server starts.
 * - `checkRole` fails if row-level security does not apply to the role of the connection.
 * - `status` and `plan` show the migrations and their SQL without changing anything.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as SqlClient from "effect/sql/SqlClient"
import { isSqlError, type SqlError } from "effect/sql/SqlError"
import { createHash } from "node:crypto"
import type { Unavailable } from "../domain/Errors.ts"
import * as StoredWords from "../todos/StoredWords.ts"
import { errorCode, toUnavailable } from "../database/SqlErrors.ts"
import { checkEncoding, type EncodingUnsupported } from "./Encoding.ts"
import { functions, parse } from "./functions/index.ts"
import { type Migration, migrations } from "./migrations/index.ts"
import { ownedTables } from "./tables.ts"
import * as MigrationsSql from "./MigrationsSql.ts"
import { quote, SchemaName } from "./SchemaName.ts"

export { grants } from "./MigrationsSql.ts"

/** A migration failed. The whole upgrade was rolled back. */
export class MigrationFailed extends Schema.TaggedError<MigrationFailed>()("MigrationFailed", {
  step: Schema.String,
  sqlState: Schema.optionalKey(Schema.String),
  reason: Schema.String
}) {
  override get message() {
    return `${this.step} failed, nothing was changed: ${this.reason}`
  }
}

/** The oldest version that this release can upgrade: the number of the baseline. */
const oldest: number = migrations[0]?.id ?? 0

/** The schema in the database is not the one of this release. The message says what to run. */
export class SchemaMismatch extends Schema.TaggedError<SchemaMismatch>()("SchemaMismatch", {
  schema: Schema.String,
  /** The version in the database; 0 if it has no schema yet. */
  found: Schema.Int,
  expected: Schema.Int,
  /** If the version is right: the names of the database functions that differ from this release's. */
  functions: Schema.optionalKey(Schema.Array(Schema.String)),
  /** If the version is right: the names of the tables on which row-level security or its policy is missing. */
  openTables: Schema.optionalKey(Schema.Array(Schema.String))
}) {
  override get message() {
    const { expected, found, functions, openTables, schema } = this
    if (functions !== undefined) {
      return `functions of schema "${schema}" differ from this release's (${functions.join(", ")}): run "todo-admin migrate up"`
    }
    if (openTables !== undefined) {
      return `row-level security is missing on tables of schema "${schema}" (${openTables.join(", ")}): run "todo-admin migrate up"`
    }
    const versions = `schema "${schema}" is at version ${found}, this program needs version ${expected}`
    if (found > expected) return `${versions}: install a newer release`
    if (found === 0 || found >= oldest) return `${versions}: run "todo-admin migrate up"`
    return `${versions} and upgrades from ${oldest} on: run "todo-admin user export" of the release that made it for each user, and "todo-admin user import" into a new schema`
  }
}

/** The role of the connection has no right to use the schema. */
export class SchemaForbidden extends Schema.TaggedError<SchemaForbidden>()("SchemaForbidden", {
  schema: Schema.String
}) {
  override get message() {
    return `this role may not use schema "${this.schema}": run "todo-admin migrate up --runtime-role" with its name`
  }
}

/** A migration, and whether it was applied. */
export interface MigrationStatus {
  /** The number of the migration: the version of the schema after it. */
  readonly id: number
  /** A short description. */
  readonly name: string
  /** When it was applied (RFC 3339, in UTC); `null` if it is missing. */
  readonly appliedAt: string | null
}

/** The schema version of this release: the number of the last migration. */
export const version: number = migrations.at(-1)?.id ?? 0

/**
 * The SQL that `up` runs on a schema at version `from` (0 by default: an empty database), as named steps with their
 * statements. Needs no connection. With `runtimeRole` it includes the grants to that role.
 */
export const plan = Effect.fnUntraced(function* (from = 0, { runtimeRole }: Pick<UpOptions, "runtimeRole"> = {}) {
  return script(migrations, yield* SchemaName, from, runtimeRole, from < version)
})

/** Reads which migrations were applied: those of this release, and unknown ones of a newer or older release, in order. */
export const status: Effect.Effect<ReadonlyArray<MigrationStatus>, Unavailable, SqlClient.SqlClient> = Effect.suspend(
  () => readStatus(migrations).pipe(toUnavailable)
)

/**
 * Checks that the database is encoded in UTF-8 and has the schema version, the functions and the row-level security of
 * this release.
 *
 * Errors: `EncodingUnsupported`; `SchemaMismatch`; `SchemaForbidden` if the role has no right to use the schema;
 * `Unavailable`.
 *
 * @example
 * yield* Migrations.check.pipe(Effect.provide(Database.layer({ url })))
 */
export const check: Effect.Effect<
  void,
  EncodingUnsupported | SchemaMismatch | SchemaForbidden | Unavailable,
  SqlClient.SqlClient
> = Effect.gen(function* () {
  yield* toUnavailable(checkEncoding)
  const schemaName = yield* SchemaName
  const found = versionOf(
    yield* Effect.catchDefect(status, (defect) =>
      isSqlError(defect) && defect.reason._tag === "AuthorizationError"
        ? Effect.fail(new SchemaForbidden({ schema: schemaName }))
        : Effect.die(defect)
    )
  )
  if (found !== version) return yield* new SchemaMismatch({ schema: schemaName, found, expected: version })
  const differing = yield* toUnavailable(differingFunctions(schemaName))
  if (differing.length > 0) {
    return yield* new SchemaMismatch({ schema: schemaName, found, expected: version, functions: differing })
  }
  const open = yield* toUnavailable(openTables(schemaName))
  if (open.length > 0)
    return yield* new SchemaMismatch({ schema: schemaName, found, expected: version, openTables: open })
})

/** Row-level security does not apply to the role of this connection, so one of the two guards of isolation is missing. */
export class UnsafeRole extends Schema.TaggedError<UnsafeRole>()("UnsafeRole", {
  role: Schema.String,
  /** The reason: an attribute of the role, or the tables on which row-level security is off. */
  why: Schema.String
}) {
  override get message() {
    return `row-level security does not hold role "${this.role}", which ${this.why}: connect as a role that "todo-admin migrate up --runtime-role ROLE" has made`
  }
}

/**
 * Fails with `UnsafeRole` if row-level security does not apply to the role of this connection. It does not apply to
 * superusers, to roles with BYPASSRLS, and to the owner of tables on which it is not forced. `todo-http` refuses to start
 * with such a role in production. A host with its own client can run this check when it starts.
 *
 * @example
 * yield* Migrations.checkRole.pipe(Effect.provide(Database.layer({ url })))
 */
export const checkRole: Effect.Effect<void, UnsafeRole | Unavailable, SqlClient.SqlClient> = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const [role] = yield* toUnavailable(sql.unsafe<MigrationsSql.Role>(MigrationsSql.role, [yield* SchemaName]))
  const { bypasses, isSuperuser, name, open } = role as MigrationsSql.Role
  const why = isSuperuser
    ? "is a superuser"
    : bypasses
      ? "has BYPASSRLS"
      : open.length > 0
        ? `sees every row of ${open.join(", ")}, where row-level security is off, or not forced on the owner`
        : undefined
  if (why !== undefined) return yield* new UnsafeRole({ role: name, why })
})

/** Options of `up`. */
export interface UpOptions {
  /** The role that servers connect as. It is created if it does not exist, and gets the grants that servers need. */
  readonly runtimeRole?: string | undefined
  /** Called with the name of each step before it runs. */
  readonly onStep?: ((name: string) => Effect.Effect<void>) | undefined
}

/** The result of `up`. Both arrays are empty if the schema was up to date. */
export interface Upgrade {
  /** The migrations that were applied, in order. */
  readonly migrations: ReadonlyArray<{ readonly id: number; readonly name: string }>
  /** The functions that were created or that differed from this release's, by name. */
  readonly functions: ReadonlyArray<string>
}

/**
 * Upgrades the schema to this release, or creates it.
 *
 * In one transaction it applies the missing migrations, creates or replaces the database functions, and adds missing
 * policies. If the search words of this release differ, it then recomputes the stored words in short transactions.
 *
 * Connect as the owner of the tables, not as the role that servers use. Several processes may call it at once: they queue
 * on an advisory lock. Servers of the previous release can run meanwhile. A migration that builds an index or checks a table
 * blocks them: a statement that waits longer than 3 seconds fails with `Unavailable`. The changelog names such migrations.
 *
 * Errors: `EncodingUnsupported`; `MigrationFailed` (nothing was changed); `SchemaMismatch` if the schema is newer than this
 * release or older than the oldest version that it can upgrade; `Unavailable`.
 *
 * @example
 * yield* Migrations.up({ runtimeRole: "todo_runtime" }).pipe(Effect.provide(Database.layer({ url: ownerUrl, unlimited: true })))
 */
export const up = (
  options: UpOptions = {}
): Effect.Effect<Upgrade, EncodingUnsupported | MigrationFailed | SchemaMismatch | Unavailable, SqlClient.SqlClient> =>
  Effect.tap(upTo(migrations, options), () => refreshWords(options))

/** Runs after the transaction of the migrations, so that servers can write meanwhile. If it is interrupted, `up` resumes. */
const refreshWords = ({ onStep = () => Effect.void }: UpOptions) =>
  toUnavailable(StoredWords.refresh(onStep("Renewing the words of search")))

/** `up` with other migrations, for tests. */
export const upTo = (known: ReadonlyArray<Migration>, { onStep = () => Effect.void, runtimeRole }: UpOptions) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const schemaName = yield* SchemaName
    yield* checkEncoding
    yield* sql.unsafe(MigrationsSql.lock, [schemaName])
    const found = versionOf(yield* readStatus(known))
    const expected = known.at(-1)?.id ?? 0
    if (found > expected || (found > 0 && found < oldest)) {
      return yield* new SchemaMismatch({ schema: schemaName, found, expected })
    }
    const differing = yield* differingFunctions(schemaName)
    const isBehind = found < expected || differing.length > 0 || (yield* openTables(schemaName)).length > 0
    for (const { name, statements } of script(known, schemaName, found, runtimeRole, isBehind)) {
      yield* onStep(name)
      for (const statement of statements) yield* run(name, statement)
    }
    return { migrations: pending(known, found).map(({ id, name }) => ({ id, name })), functions: differing }
  }).pipe(inTransaction, toUnavailable)

/** The names of functions of this release that are missing in the database or differ there. */
const differingFunctions = Effect.fnUntraced(function* (schemaName: string) {
  const sql = yield* SqlClient.SqlClient
  const stored = yield* sql.unsafe<MigrationsSql.StoredFunction>(MigrationsSql.storedFunctions, [schemaName])
  const there = new Set(stored.map(({ digest, name }) => `${name} ${digest}`))
  return functions(quote(schemaName))
    .map(parse)
    .filter(({ body, isSecurityDefiner, name, settings, volatility }) => {
      const text = [volatility.at(0), isSecurityDefiner ? "t" : "f", settings, body].join(" ")
      return !there.has(`${name} ${createHash("md5").update(text).digest("hex")}`)
    })
    .map(({ name }) => name)
})

/** The names of tables with an owner on which row-level security or its policy is missing. */
const openTables = Effect.fnUntraced(function* (schemaName: string) {
  const sql = yield* SqlClient.SqlClient
  const owned = ownedTables.map(({ name }) => name)
  const open = yield* sql.unsafe<MigrationsSql.OpenTable>(MigrationsSql.openTables, [schemaName, owned])
  return open.map(({ name }) => name)
})

/** The steps of `up`, in order, with their statements. */
const script = (
  known: ReadonlyArray<Migration>,
  schemaName: string,
  from: number,
  runtimeRole: string | undefined,
  withFunctions: boolean
): ReadonlyArray<{ readonly name: string; readonly statements: ReadonlyArray<string> }> => {
  const schema = quote(schemaName)
  return [
    ...(from === 0 ? [{ name: "Creating the schema", statements: MigrationsSql.createSchema(schemaName) }] : []),
    ...pending(known, from).map((migration) => ({
      name: `Migration ${migration.id} (${migration.name})`,
      statements: [...migration.up(schema), MigrationsSql.record(schema, migration)]
    })),
    ...(withFunctions
      ? [
          {
            name: "Functions and policies",
            statements: [...functions(schema), ...MigrationsSql.policies(schema)]
          }
        ]
      : []),
    ...(runtimeRole === undefined
      ? []
      : [
          {
            name: `Granting to role "${runtimeRole}"`,
            statements: [MigrationsSql.createRole(runtimeRole), ...MigrationsSql.grants(schemaName, runtimeRole)]
          }
        ])
  ]
}

const pending = (known: ReadonlyArray<Migration>, from: number) => known.filter(({ id }) => id > from)

const versionOf = (steps: ReadonlyArray<MigrationStatus>): number =>
  Math.max(0, ...steps.filter(({ appliedAt }) => appliedAt !== null).map(({ id }) => id))

const readStatus = Effect.fnUntraced(function* (known: ReadonlyArray<Migration>) {
  const sql = yield* SqlClient.SqlClient
  const schemaName = yield* SchemaName
  const [table] = yield* sql.unsafe<MigrationsSql.MigrationsTable>(MigrationsSql.migrationsTable, [schemaName])
  const applied =
    table?.isOurs === true ? yield* sql.unsafe<MigrationsSql.Applied>(MigrationsSql.applied(quote(schemaName))) : []
  const missing = known.filter(({ id }) => !applied.some((row) => row.id === id))
  return [...applied, ...missing.map(({ id, name }) => ({ id, name, appliedAt: null }))]
})

/** Runs a statement of a migration. The server's message goes into the error, because it has no data of users. */
const run = (step: string, statement: string) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) => sql.unsafe(statement).unprepared).pipe(
    Effect.mapError((error) => failure(step, error))
  )

const failure = (step: string, error: SqlError): MigrationFailed | SqlError => {
  const sqlState = errorCode(error)
  if (error.reason._tag === "ConnectionError" || sqlState === undefined) return error
  const { cause } = error.reason
  return new MigrationFailed({ step, sqlState, reason: cause instanceof Error ? cause.message : sqlState })
}

const inTransaction = <A, E, R>(self: Effect.Effect<A, E, R>) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) => sql.withTransaction(self))
