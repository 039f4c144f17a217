/**
 * The checks of `todo-admin doctor` and their order.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as SqlClient from "effect/sql/SqlClient"
import { isSqlError, type SqlError } from "effect/sql/SqlError"
import * as Database from "../../database/Database.ts"
import { Installation, prepare } from "../../installation/Installation.ts"
import { isForbidden, isRefusedRole, isUnknownDatabase } from "../../database/SqlErrors.ts"
import * as Migrations from "../../schema/Migrations.ts"
import { SchemaName } from "../../schema/SchemaName.ts"
import * as DoctorSql from "./DoctorSql.ts"
import { type Finding, failed, passed, warning } from "./Finding.ts"
import * as ClockCheck from "./ClockCheck.ts"
import * as IsolationCheck from "./IsolationCheck.ts"
import * as OtherPathsCheck from "./OtherPathsCheck.ts"
import * as PoolerCheck from "./PoolerCheck.ts"
import * as RoleCheck from "./RoleCheck.ts"
import * as RightsCheck from "./RightsCheck.ts"
import * as RowSecurityCheck from "./RowSecurityCheck.ts"
import * as SchemaCheck from "./SchemaCheck.ts"
import * as DurabilityCheck from "./DurabilityCheck.ts"
import * as SettingsCheck from "./SettingsCheck.ts"

/**
 * Checks the settings, and then the database with the role and the options of a server.
 *
 * It starts the embedded database if `DATABASE_URL` is not set. It does not migrate, and it rolls back its only write.
 * It never fails: problems are findings.
 *
 * @param onProgress receives a line before each slow step, such as the first start of the embedded database.
 */
export const examine = (onProgress?: (line: string) => Effect.Effect<void>): Effect.Effect<ReadonlyArray<Finding>> =>
  Effect.gen(function* () {
    const settings = yield* SettingsCheck.check
    const database = yield* inspect.pipe(
      Effect.provide(
        Installation.layerDatabase.pipe(
          Layer.provideMerge(Installation.layer(onProgress)),
          Layer.provideMerge(Installation.layerSchema)
        )
      ),
      Effect.catchTags({
        // The check of the settings has reported it.
        ConfigError: () => Effect.succeed([]),
        SettingsConflict: () => Effect.succeed([]),
        InvalidDatabaseUrl: ({ message }) =>
          Effect.succeed([failed("connection", message, "correct the database's URL")]),
        EmbeddedPostgresError: ({ message, hint }) => Effect.succeed([failed("connection", message, hint)]),
        SqlError: (error) => Effect.succeed([unreachable("the database", error)])
      })
    )
    return [...settings, ...database]
  })

/** Checks a database, the most basic facts first. A failure that later checks depend on ends the examination. */
const inspect = Effect.gen(function* () {
  const { embedded, migrateUrl, url } = yield* Installation
  const sql = yield* SqlClient.SqlClient
  const schema = yield* SchemaName

  const { place, role: runtimeRole } = yield* Database.address(url)
  const server = yield* Effect.result(sql.unsafe<DoctorSql.Server>(DoctorSql.server))
  if (server._tag === "Failure") return [unreachable(place, server.failure)]
  const { encoding, isStandby, number, readOnly, release, role } = server.success[0] as DoctorSql.Server
  const findings: Array<Finding> = [passed("connection", `to ${place} as ${role}`)]

  findings.push(
    number >= 150_000
      ? passed("server version", `PostgreSQL ${release}`)
      : failed("server version", `PostgreSQL ${release} is too old`, "upgrade it to PostgreSQL 15 or newer"),
    encoding === "UTF8"
      ? passed("encoding", "UTF8")
      : failed(
          "encoding",
          `the database is encoded in ${encoding}, which cannot hold every text`,
          "move the data to a database that was created with encoding 'UTF8'"
        ),
    readOnly === "off"
      ? passed("writes", "accepted")
      : failed(
          "writes",
          isStandby ? "the server is a standby, in read-only mode" : "the database is in read-only mode",
          isStandby
            ? "let DATABASE_URL name the primary"
            : "set default_transaction_read_only to off, for the server, the database, the role or in DATABASE_URL"
        )
  )

  findings.push(...(yield* guarded("clocks", ClockCheck.check)))
  findings.push(...(yield* guarded("pooler", PoolerCheck.check({ url, prepare: yield* prepare }))))
  // Later checks would fail at random because of it.
  if (findings.some(({ check, status }) => check === "pooler" && status === "failed")) return findings

  const migrated = yield* guarded("schema version", schemaVersion(schema))
  findings.push(...migrated)
  const alsoMigrates = embedded === undefined && runtimeRole === (yield* Database.address(migrateUrl)).role
  const reachedRoles = sql.unsafe<DoctorSql.ReachedRole>(DoctorSql.reachedRoles)
  const withRoles = <E, R>(
    check: string,
    examine: (roles: ReadonlyArray<DoctorSql.ReachedRole>) => Effect.Effect<ReadonlyArray<Finding>, E, R>
  ) => guarded(check, Effect.flatMap(reachedRoles, examine))
  findings.push(
    ...(yield* withRoles("runtime role", (roles) => RoleCheck.check(schema, roles, { alsoMigrates }))),
    ...(yield* withRoles("rights", (roles) => RightsCheck.check(schema, roles))),
    ...(yield* withRoles("other paths", (roles) => OtherPathsCheck.check(schema, roles))),
    ...(yield* guarded("role settings", DurabilityCheck.check)),
    ...(yield* guarded("row-level security", RowSecurityCheck.check(schema)))
  )
  const skipped = (why: string, hint: string) => [
    warning("schema", `not compared with the schema of this release, because ${why}`, hint),
    warning("isolation", `not probed, because ${why}`, hint)
  ]
  if (migrated.some(({ status }) => status === "failed")) {
    return [...findings, ...skipped("the schema has another version", "bring the schema to this release first")]
  }
  if (readOnly !== "off")
    return [...findings, ...skipped("nothing can be written", "let the database take writes first")]
  findings.push(...(yield* guarded("schema", SchemaCheck.check(schema))))
  const cannotTry = findings.some(
    ({ check, detail, status }) =>
      status === "failed" &&
      ((check === "rights" && detail.includes(" lacks ")) || detail.startsWith("row_security is"))
  )
  findings.push(
    ...(cannotTry
      ? [
          warning(
            "isolation",
            "not probed, because the role cannot run a server",
            "repair the rights of the role first"
          )
        ]
      : yield* guarded("isolation", IsolationCheck.check(schema)))
  )
  return findings
})

const schemaVersion = (schema: string) =>
  Migrations.check.pipe(
    Effect.as([passed("schema version", `"${schema}" is at version ${Migrations.version}`)]),
    Effect.catchTags({
      EncodingUnsupported: ({ encoding }) =>
        Effect.succeed([
          failed(
            "schema version",
            `not compared, because the database is encoded in ${encoding}`,
            "follow the hint of the check encoding"
          )
        ]),
      SchemaMismatch: ({ expected, found }) =>
        Effect.succeed([
          // At the same version only functions differ. The check of the schema names them.
          found === expected
            ? passed("schema version", `"${schema}" is at version ${found}`)
            : failed(
                "schema version",
                `"${schema}" is at version ${found}, this release needs version ${expected}`,
                found > expected ? "install a newer release" : 'run "todo-admin migrate up"'
              )
        ]),
      SchemaForbidden: () =>
        Effect.succeed([
          failed(
            "schema version",
            `the role may not use schema "${schema}"`,
            'grant the rights that the check rights names, or run "todo-admin migrate up --runtime-role" with its name'
          )
        ])
    })
  )

/** Turns an error of one check into a finding, so that the other checks still run. */
const guarded = <E, R>(check: string, self: Effect.Effect<ReadonlyArray<Finding>, E, R>) =>
  self.pipe(
    Effect.catchDefect((defect) => (isSqlError(defect) ? Effect.fail(defect) : Effect.die(defect))),
    Effect.catch((error) => Effect.succeed([refused(check, error)]))
  )

const refused = (check: string, error: unknown): Finding =>
  isSqlError(error) && isForbidden(error)
    ? failed(
        check,
        `the role lacks a right: ${reasonOf(error)}`,
        'run "todo-admin migrate up --runtime-role ROLE" with the role in DATABASE_URL, connected as the owner of the tables'
      )
    : failed(
        check,
        `could not be checked: ${isSqlError(error) ? reasonOf(error) : error instanceof Error ? error.message : String(error)}`,
        "read the log of the database and run doctor again"
      )

const reasonOf = ({ reason }: SqlError): string => (reason.cause instanceof Error ? reason.cause.message : reason._tag)

const unreachable = (address: string, error: SqlError): Finding => {
  const detail = `cannot connect to ${address}: ${reasonOf(error)}`
  const hint = Database.connectionHint(error)
  if (hint !== undefined) return failed("connection", detail, hint)
  if (isRefusedRole(error)) {
    return failed(
      "connection",
      detail,
      "correct the role or the password in DATABASE_URL, or pg_hba.conf of the server"
    )
  }
  if (isUnknownDatabase(error))
    return failed("connection", detail, "create the database, or correct its name in DATABASE_URL")
  return failed("connection", detail, "start the database, or correct host and port in DATABASE_URL")
}
