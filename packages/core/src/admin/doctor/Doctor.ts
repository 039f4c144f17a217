/**
 * The checks of `todo-admin doctor` and their order.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Struct from "effect/Struct"
import * as SqlClient from "effect/sql/SqlClient"
import { isSqlError, type SqlError } from "effect/sql/SqlError"
import * as Database from "../../database/Database.ts"
import { Installation, prepare } from "../../installation/Installation.ts"
import { firstRow } from "../../database/firstRow.ts"
import { isForbidden, isRefusedRole, isUnknownDatabase } from "../../database/SqlErrors.ts"
import * as Migrations from "../../schema/Migrations.ts"
import { SchemaName } from "../../schema/SchemaName.ts"
import * as DoctorSql from "./DoctorSql.ts"
import { type CheckFinding, type Finding, failed, passed, warning } from "./Finding.ts"
import * as ClockCheck from "./ClockCheck.ts"
import * as IsolationCheck from "./IsolationCheck.ts"
import * as OtherPathsCheck from "./OtherPathsCheck.ts"
import * as PoolerCheck from "./PoolerCheck.ts"
import * as RoleCheck from "./RoleCheck.ts"
import * as RightsCheck from "./RightsCheck.ts"
import * as RowSecurityCheck from "./RowSecurityCheck.ts"
import * as SchemaCheck from "./SchemaCheck.ts"
import * as ServerCheck from "./ServerCheck.ts"
import * as PostgresSettingsCheck from "./PostgresSettingsCheck.ts"
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
    return [...settings, ...database].map((finding: CheckFinding): Finding => Struct.omit(finding, ["isBlocking"]))
  })

/** Checks a database, the most basic facts first. A failure that later checks depend on ends the examination. */
const inspect = Effect.gen(function* () {
  const { embedded, migrateUrl, url } = yield* Installation
  const sql = yield* SqlClient.SqlClient
  const schema = yield* SchemaName

  const { place, role: runtimeRole } = yield* Database.address(url)
  const server = yield* Effect.result(firstRow<DoctorSql.Server>(DoctorSql.server))
  if (server._tag === "Failure") return [unreachable(place, server.failure)]
  const facts = server.success
  const findings: Array<CheckFinding> = [
    passed("connection", `to ${place} as ${facts.role}`),
    ...ServerCheck.check(facts),
    ...(yield* guarded("clocks", ClockCheck.check))
  ]

  const pooler = yield* guarded("pooler", PoolerCheck.check({ url, prepare: yield* prepare }))
  findings.push(...pooler)
  // Later checks would fail at random because of it.
  if (isAnyFailed(pooler)) return findings

  const migrated = yield* guarded("schema version", schemaVersion(schema))
  findings.push(...migrated)
  const alsoMigrates = embedded === undefined && runtimeRole === (yield* Database.address(migrateUrl)).role
  const reachedRoles = sql.unsafe<DoctorSql.ReachedRole>(DoctorSql.reachedRoles)
  const withRoles = <E, R>(
    check: string,
    examine: (roles: ReadonlyArray<DoctorSql.ReachedRole>) => Effect.Effect<ReadonlyArray<CheckFinding>, E, R>
  ) => guarded(check, Effect.flatMap(reachedRoles, examine))
  findings.push(
    ...(yield* withRoles("runtime role", (roles) => RoleCheck.check(schema, roles, { alsoMigrates }))),
    ...(yield* withRoles("rights", (roles) => RightsCheck.check(schema, roles))),
    ...(yield* withRoles("other paths", (roles) => OtherPathsCheck.check(schema, roles))),
    ...(yield* guarded("role settings", PostgresSettingsCheck.check)),
    ...(yield* guarded("row-level security", RowSecurityCheck.check(schema)))
  )
  const skipped = (why: string, hint: string) => [
    warning("schema", `not compared with the schema of this release, because ${why}`, hint),
    warning("isolation", `not probed, because ${why}`, hint)
  ]
  if (isAnyFailed(migrated)) {
    return [...findings, ...skipped("the schema has another version", "bring the schema to this release first")]
  }
  if (facts.readOnly !== "off")
    return [...findings, ...skipped("nothing can be written", "let the database take writes first")]
  findings.push(...(yield* guarded("schema", SchemaCheck.check(schema))))
  findings.push(
    ...(findings.some(({ isBlocking }) => isBlocking)
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

const isAnyFailed = (findings: ReadonlyArray<Finding>): boolean => findings.some(({ status }) => status === "failed")

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
const guarded = <E, R>(check: string, self: Effect.Effect<ReadonlyArray<CheckFinding>, E, R>) =>
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
