/**
 * A connection pool for PostgreSQL. Programs that have an `SqlClient` of their own do not need it.
 */
import { connect } from "node:net"
import * as PgClient from "@effect/sql-pg/PgClient"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import * as Connection from "../connection/Connection.ts"
import type { InvalidDatabaseUrl } from "../connection/InvalidDatabaseUrl.ts"
import { sockets } from "../connection/NegotiatedSocket.ts"
import type { Environment } from "../connection/Parameters.ts"
import type { Unavailable } from "../domain/Errors.ts"
import { unavailable } from "./SqlErrors.ts"
import * as DatabaseSql from "./DatabaseSql.ts"
import { ConnectionQueue } from "./ConnectionQueue.ts"
import * as PoolMetrics from "./PoolMetrics.ts"
import { interruptAtOnce } from "./interruptAtOnce.ts"

export { connectionHint } from "../connection/connectionHint.ts"
export type { InvalidDatabaseUrl }

/** The address of the database, and the options of the connections. */
export interface DatabaseSettings {
  /**
   * `postgres://user:password@host:5432/database?sslmode=verify-full&sslrootcert=/etc/ssl/ca.pem`, with the parameters of
   * libpq. A parameter that is not supported is an error that names it. `PG...` variables (`PGSSLMODE`) are used for
   * parameters that the URL leaves out.
   */
  readonly url: Redacted.Redacted
  /** The maximum number of connections; 10 by default. */
  readonly poolSize?: number | undefined
  /**
   * Whether statements are prepared by name; `true` by default. Set it to `false` behind a pooler in transaction mode that
   * does not support prepared statements, such as PgBouncer before 1.21. The time limits are then not sent either, because
   * such poolers refuse them: set them on the role (`alter role ... set statement_timeout`).
   */
  readonly prepare?: boolean | undefined
  /** The name in `pg_stat_activity` if neither the URL nor `PGAPPNAME` sets one; "todo" by default. */
  readonly applicationName?: string | undefined
  /**
   * Whether statements run without time limits, as migrations and exports must; `false` by default. With the limits, a
   * statement may take 5 seconds, wait 3 seconds for a lock, and leave its transaction idle for 10 seconds.
   */
  readonly unlimited?: boolean | undefined
}

/** In milliseconds: the duration of a statement, the wait for a lock, and the pause between statements of a transaction. */
const timeLimits = {
  statement_timeout: "5000",
  lock_timeout: "3000",
  idle_in_transaction_session_timeout: "10000"
}

/** A schema for the URL of a database. The error names the wrong parameter, and never repeats its value. */
export const databaseUrl = (environment: Environment) =>
  Schema.String.check(
    Schema.makeFilter((text) => {
      const read = Connection.read(text, environment)
      if (Result.isSuccess(read)) return true
      const { message, parameter, why } = read.failure
      return parameter === "url" ? why : message
    })
  )

/** The host, port and database of a URL as text for people, and the role. It has no password. */
export const address = (
  url: Redacted.Redacted
): Effect.Effect<{ readonly place: string; readonly role: string }, InvalidDatabaseUrl> =>
  Effect.map(Connection.load(url), ({ database, host, port, user }) => ({
    place: `${host.includes(":") ? `[${host}]` : host}:${port}/${database}`,
    role: user
  }))

/** Why the URL of a database cannot be used in this process, or `undefined` if it can. */
export const urlProblem = (url: unknown): string | undefined =>
  typeof url === "string"
    ? Effect.runSync(
        Effect.flip(Connection.load(Redacted.make(url))).pipe(Effect.option, Effect.map(Option.getOrUndefined))
      )?.message
    : "The database URL must be like postgres://user:password@host:5432/database"

/** The time limits that `options` does not set. PostgreSQL accepts a name there with underscores or with dashes. */
const defaultTimeLimits = (options = "") => {
  const named = options.toLowerCase().replaceAll("-", "_")
  return Object.fromEntries(Object.entries(timeLimits).filter(([name]) => !named.includes(`${name}=`)))
}

/**
 * A connection pool, for programs that have no `SqlClient` of their own.
 *
 * Connections are opened on demand. The layer can be built while the database is down, and works as soon as the database
 * does. A statement that waits for a connection for three seconds fails with `Unavailable`.
 *
 * Fails with `InvalidDatabaseUrl` if a parameter of the URL is not supported, or if a file that it names cannot be read.
 *
 * @example
 * const services = Services.layer.pipe(
 *   Layer.provideMerge(Database.layer({ url: Redacted.make("postgres://todo_runtime@localhost/app") }))
 * )
 */
export const layer = (
  settings: DatabaseSettings
): Layer.Layer<PgClient.PgClient | SqlClient.SqlClient, SqlError | InvalidDatabaseUrl> =>
  Layer.unwrap(Effect.map(Connection.load(settings.url), (connection) => layerConnection(settings, connection)))

const layerConnection = (settings: DatabaseSettings, connection: Connection.Connection) => {
  const prepare = settings.prepare ?? true
  const poolSize = settings.poolSize ?? 10
  const { address: host, encryption, keepAlive, options, port } = connection
  const to = { host, port, noDelay: true, ...keepAliveOptions(keepAlive) }
  // The driver would connect in the same way, but does not say how many connections it has.
  const { open, stream } = PoolMetrics.countSockets(
    encryption.mode === "disable" || encryption.mode === "demand"
      ? () => connect(host.startsWith("/") ? { path: `${host}/.s.PGSQL.${port}` } : to)
      : sockets({ mode: encryption.mode, to, tls: encryption.options })
  )
  const client = PgClient.layer({
    host,
    port,
    database: connection.database,
    username: connection.user,
    password: connection.password,
    maxConnections: poolSize,
    connectTimeout: connection.connectTimeout,
    applicationName:
      connection.applicationName ?? settings.applicationName ?? connection.fallbackApplicationName ?? "todo",
    prepare,
    startupOptions: options,
    ssl: encryption.mode === "demand" ? encryption.options : false,
    stream,
    ...(prepare && !settings.unlimited && { startupParameters: defaultTimeLimits(options) })
  })
  return Layer.merge(withCloseTimeout(client), ConnectionQueue.layer(poolSize, open))
}

const keepAliveOptions = (after: Duration.Duration | undefined) =>
  after === undefined ? {} : { keepAlive: true, keepAliveInitialDelay: Duration.toMillis(after) }

/** Gives connections whose network has gone silent 0.5 seconds to close. The driver would wait five. */
const withCloseTimeout = <A, E>(layer: Layer.Layer<A, E>): Layer.Layer<A, E> =>
  Layer.effectContext(
    Effect.gen(function* () {
      const scope = yield* Effect.acquireRelease(Scope.make(), (scope, exit) =>
        interruptAtOnce(Scope.close(scope, exit)).pipe(Effect.timeoutOption("500 millis"), Effect.interruptible)
      )
      return yield* Layer.buildWithScope(layer, scope)
    })
  )

/**
 * Makes an effect that sends a query which reads nothing. That effect fails with `Unavailable` if the database does not
 * answer within two seconds.
 */
export const makePing: Effect.Effect<Effect.Effect<void, Unavailable>, never, SqlClient.SqlClient> = Effect.map(
  SqlClient.SqlClient,
  (sql) =>
    interruptAtOnce(sql.unsafe(DatabaseSql.ping).values).pipe(
      Effect.timeout("2 seconds"),
      Effect.mapError((cause) => unavailable({ outcome: "not-applied" }, cause)),
      Effect.asVoid
    )
)
