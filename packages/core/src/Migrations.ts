/**
 * The schema of the database: what it is made by, whether it is there, and how it comes about.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as SqlClient from "effect/sql/SqlClient"
import { isSqlError, type SqlError } from "effect/sql/SqlError"
import type { Unavailable } from "./domain/Errors.ts"
import { errorCode, toUnavailable } from "./internal/SqlFailure.ts"
import { type Migration, migrations } from "./migrations/index.ts"
import { SchemaName } from "./SchemaName.ts"

/** A migration could not be applied. Everything it did was rolled back. */
export class MigrationFailed extends Schema.TaggedError<MigrationFailed>()("MigrationFailed", {
  step: Schema.String,
  sqlState: Schema.optionalKey(Schema.String),
  reason: Schema.String
}) {
  override get message() {
    return `${this.step} failed, nothing was changed: ${this.reason}`
  }
}

/** The schema in the database is not the one that this version works with. */
export class SchemaMismatch extends Schema.TaggedError<SchemaMismatch>()("SchemaMismatch", {
  schema: Schema.String,
  /** The version in the database; 0 where there is none. */
  found: Schema.Int,
  expected: Schema.Int
}) {
  override get message() {
    const versions = `schema "${this.schema}" is at version ${this.found}, this program needs version ${this.expected}`
    return this.found > this.expected
      ? `${versions}: install a newer release`
      : `${versions}: run "todo-admin migrate up"`
  }
}

/** The role that asks may not look at the schema. */
export class SchemaForbidden extends Schema.TaggedError<SchemaForbidden>()("SchemaForbidden", {
  schema: Schema.String
}) {
  override get message() {
    return `this role may not use schema "${this.schema}": run "todo-admin migrate up --runtime-role" with its name`
  }
}

/** A migration and when it was applied; `null` where it was not. */
export interface MigrationStatus {
  /** Its number, from 1 on: the version of the schema that it makes. */
  readonly id: number
  /** What it does, in a word or two. */
  readonly name: string
  /** RFC 3339, in UTC. */
  readonly appliedAt: string | null
}

/** The version that this release works with. */
export const version: number = migrations.length

/** The SQL that `up` runs on a schema at version `from`, without a database; 0 is an empty one. */
export const plan = Effect.fnUntraced(function* (from = 0, { runtimeRole }: Pick<UpOptions, "runtimeRole"> = {}) {
  return script(migrations, yield* SchemaName, from, runtimeRole)
})

/** Every migration that is known, and those that were applied by a newer release. */
export const status: Effect.Effect<ReadonlyArray<MigrationStatus>, Unavailable, SqlClient.SqlClient> = Effect.suspend(
  () => readStatus(migrations).pipe(toUnavailable)
)

/** Fails unless the database holds exactly the schema that this release works with. */
export const check: Effect.Effect<void, SchemaMismatch | SchemaForbidden | Unavailable, SqlClient.SqlClient> =
  Effect.gen(function* () {
    const schema = yield* SchemaName
    const found = versionOf(
      yield* Effect.catchDefect(status, (defect) =>
        isSqlError(defect) && defect.reason._tag === "AuthorizationError"
          ? Effect.fail(new SchemaForbidden({ schema }))
          : Effect.die(defect)
      )
    )
    if (found !== version) return yield* new SchemaMismatch({ schema, found, expected: version })
  })

/**
 * Whether row-level security holds the role of this connection. It does not hold superusers and roles with BYPASSRLS,
 * and then one of the two walls between users is missing.
 */
export const isRowSecurityActive: Effect.Effect<boolean, Unavailable, SqlClient.SqlClient> = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const [row] = yield* sql.unsafe("select row_security_active(to_regclass($1))", [`"${yield* SchemaName}".todos`])
    .values
  return row?.[0] === true
}).pipe(toUnavailable)

/** For whom, and who hears of it. */
export interface UpOptions {
  /** The role that servers run as. It is created where the connection may, and gets what it needs, no more. */
  readonly runtimeRole?: string | undefined
  /** Hears of each step before it is run. */
  readonly onStep?: ((name: string) => Effect.Effect<void>) | undefined
}

/**
 * Brings the schema up to this release, in one transaction: all or nothing. Any number
 * of processes may call it at once. Returns what it applied. Run it as the owner of
 * the tables, which is not the role that servers run as.
 *
 * @example
 * yield* Migrations.up({ runtimeRole: "todo_runtime" }).pipe(Effect.provide(Database.layer({ url: ownerUrl, unlimited: true })))
 */
export const up = (
  options: UpOptions = {}
): Effect.Effect<
  ReadonlyArray<{ readonly id: number; readonly name: string }>,
  MigrationFailed | SchemaMismatch | Unavailable,
  SqlClient.SqlClient
> => upTo(migrations, options)

/** `up` with other migrations than the released ones. */
export const upTo = (known: ReadonlyArray<Migration>, { onStep = () => Effect.void, runtimeRole }: UpOptions) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const schema = yield* SchemaName
    yield* sql`select pg_advisory_xact_lock(hashtextextended(${`todo:migrate:${schema}`}, 0))`.values
    const found = versionOf(yield* readStatus(known))
    if (found > known.length) return yield* new SchemaMismatch({ schema, found, expected: known.length })

    for (const { name, statements } of script(known, schema, found, runtimeRole)) {
      yield* onStep(name)
      for (const statement of statements) yield* run(name, statement)
    }
    const steps = pending(known, found)
    return steps.map(({ id, name }) => ({ id, name }))
  }).pipe(inTransaction, toUnavailable)

/** The statements that let `role` serve requests: rows yes, tables no. */
export const grants = (schema: string, role: string): ReadonlyArray<string> => {
  const to = `to ${quoted(role)}`
  return [
    `grant usage on schema "${schema}" ${to}`,
    `grant select on "${schema}".migrations ${to}`,
    `grant select, insert, update on "${schema}".users, "${schema}".lists, "${schema}".todos ${to}`,
    `grant select, insert, delete on "${schema}".todo_words, "${schema}".idempotency_keys ${to}`,
    `grant execute on all functions in schema "${schema}" ${to}`
  ]
}

/** What `up` does, in order, each step with its statements. */
const script = (
  known: ReadonlyArray<Migration>,
  schema: string,
  from: number,
  runtimeRole: string | undefined
): ReadonlyArray<{ readonly name: string; readonly statements: ReadonlyArray<string> }> => [
  ...(from === 0 ? [{ name: "Creating the schema", statements: foundation(schema) }] : []),
  ...pending(known, from).map(({ id, name, up }) => ({
    name: `Migration ${id} (${name})`,
    statements: [...up(`"${schema}"`), `insert into "${schema}".migrations (id, name) values (${id}, '${name}')`]
  })),
  ...(runtimeRole === undefined
    ? []
    : [
        {
          name: `Granting to role "${runtimeRole}"`,
          statements: [...role(runtimeRole), ...grants(schema, runtimeRole)]
        }
      ])
]

/**
 * The schema, where it is not there (who may not create one may be given one), and the record of migrations.
 * A schema that holds anything is somebody else's, for ours would have a record.
 */
const foundation = (schema: string): ReadonlyArray<string> => [
  `do $$ declare found text; begin
  if not exists (select from pg_namespace where nspname = '${schema}') then create schema "${schema}"; end if;
  select pg_describe_object(classid, objid, 0) into found
  from pg_depend where refclassid = 'pg_namespace'::regclass and refobjid = '"${schema}"'::regnamespace limit 1;
  if found is not null then
    raise exception using errcode = 'duplicate_schema',
      message = 'schema "${schema}" is in use by something else (' || found || '); set TODO_SCHEMA to a name that is free';
  end if;
end $$`,
  `create table "${schema}".migrations (
  id int primary key,
  name text not null,
  applied_at timestamptz(3) not null default now()
)`
]

/** The role, where it is not there; roles belong to all databases of a server, so another `up` may be making it. */
const role = (name: string): ReadonlyArray<string> => [
  `do $role$ begin
  if not exists (select from pg_roles where rolname = '${name.replaceAll("'", "''")}') then
    create role ${quoted(name)} login;
  end if;
exception when duplicate_object or unique_violation then null;
end $role$`
]

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

const pending = (known: ReadonlyArray<Migration>, from: number) => known.filter(({ id }) => id > from)

const versionOf = (steps: ReadonlyArray<MigrationStatus>): number =>
  Math.max(0, ...steps.filter(({ appliedAt }) => appliedAt !== null).map(({ id }) => id))

const readStatus = Effect.fnUntraced(function* (known: ReadonlyArray<Migration>) {
  const sql = yield* SqlClient.SqlClient
  const table = `"${yield* SchemaName}".migrations`
  // Other programs have tables of this name.
  const [exists] = yield* sql`
    select array_agg(attname::text order by attnum) = array['id', 'name', 'applied_at']
    from pg_attribute where attrelid = to_regclass(${table}) and attnum > 0 and not attisdropped`.values
  const rows =
    exists?.[0] === true
      ? yield* sql.unsafe(`select id, name, to_char(applied_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
from ${table} order by id`).values
      : []
  const applied = rows.map(([id, name, appliedAt]) => ({
    id: Number(id),
    name: String(name),
    appliedAt: String(appliedAt)
  }))
  const missing = known.filter(({ id }) => !applied.some((row) => row.id === id))
  return [...applied, ...missing.map(({ id, name }) => ({ id, name, appliedAt: null }))]
})

/** Runs a statement of ours. What the server says against it is told: it holds no user's data. */
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
