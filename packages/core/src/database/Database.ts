/**
 * The connection to PostgreSQL, for programs that have none of their own.
 */
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
import { ConnectionQueue } from "./ConnectionQueue.ts"
import { interruptAtOnce } from "./interruptAtOnce.ts"

export { connectionHint } from "../connection/connectionHint.ts"
export type { InvalidDatabaseUrl }

/** Where the database is and how to use it. */
export interface DatabaseSettings {
  /**
   * `postgres://user:password@host:5432/database?sslmode=verify-full&sslrootcert=/etc/ssl/ca.pem`, with the parameters of
   * libpq. Each is obeyed or refused by its name. `PG...` variables (`PGSSLMODE`) stand for what the URL leaves out.
   */
  readonly url: Redacted.Redacted
  /** How many connections at most; 10 where nothing is said. */
  readonly poolSize?: number | undefined
  /**
   * Whether statements are prepared by name, true where nothing is said. Poolers in
   * transaction mode before PgBouncer 1.21 cannot do that. With `false` the time
   * limits below are not sent either, since such poolers refuse them: set them on the
   * role (`alter role ... set statement_timeout`).
   */
  readonly prepare?: boolean | undefined
  /** Shown in `pg_stat_activity` where neither the URL nor `PGAPPNAME` names one; "todo" by default. */
  readonly applicationName?: string | undefined
  /** Whether statements run as long as they take, as migrations and exports must. */
  readonly unlimited?: boolean | undefined
}

/** Longest run of a statement, longest wait for a lock, longest pause within a transaction. */
const limits = {
  statement_timeout: "5000",
  lock_timeout: "3000",
  idle_in_transaction_session_timeout: "10000"
}

/** The URL of a database that can be used; a wrong one is told by the parameter that is wrong, without its value. */
export const databaseUrl = (environment: Environment) =>
  Schema.String.check(
    Schema.makeFilter((text) => {
      const read = Connection.read(text, environment)
      return Result.isSuccess(read) || read.failure.message
    })
  )

/** Where a URL leads, for people to read, and as which role. */
export const address = (
  url: Redacted.Redacted
): Effect.Effect<{ readonly place: string; readonly role: string }, InvalidDatabaseUrl> =>
  Effect.map(Connection.load(url), ({ database, host, port, user }) => ({
    place: `${host.includes(":") ? `[${host}]` : host}:${port}/${database}`,
    role: user
  }))

/** Why the URL of a database cannot be used in this process; `undefined` where it can. */
export const urlProblem = (url: unknown): string | undefined =>
  typeof url === "string"
    ? Effect.runSync(
        Effect.flip(Connection.load(Redacted.make(url))).pipe(Effect.option, Effect.map(Option.getOrUndefined))
      )?.message
    : "Expected a URL like postgres://user:password@host:5432/database"

/** The time limits that `options` does not set, in either of the ways in which the server takes a name there. */
const limitsBeside = (options = "") => {
  const named = options.toLowerCase().replaceAll("-", "_")
  return Object.fromEntries(Object.entries(limits).filter(([name]) => !named.includes(`${name}=`)))
}

/**
 * A pool of connections of its own, for programs that have none. It opens connections
 * when they are needed: it can be built while the database is down, and works again as
 * soon as the database does. A statement waits three seconds for a connection, no longer.
 *
 * Fails with `InvalidDatabaseUrl` where a parameter of the URL cannot be obeyed, or a file that it names cannot be read.
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
  const client = PgClient.layer({
    host,
    port,
    database: connection.database,
    username: connection.user,
    password: connection.password,
    maxConnections: poolSize,
    connectTimeout: connection.connectTimeout,
    keepAlive,
    applicationName:
      connection.applicationName ?? settings.applicationName ?? connection.fallbackApplicationName ?? "todo",
    prepare,
    startupOptions: options,
    ...(encryption.mode === "disable"
      ? { ssl: false }
      : encryption.mode === "demand"
        ? { ssl: encryption.options }
        : {
            ssl: false,
            stream: sockets({
              mode: encryption.mode,
              to: { host, port, noDelay: true, ...keptAlive(keepAlive) },
              tls: encryption.options
            })
          }),
    ...(prepare && !settings.unlimited && { startupParameters: limitsBeside(options) })
  })
  return Layer.merge(closedSoon(client), ConnectionQueue.layer(poolSize))
}

const keptAlive = (after: Duration.Duration | undefined) =>
  after === undefined ? {} : { keepAlive: true, keepAliveInitialDelay: Duration.toMillis(after) }

/** Connections that have gone silent get half a second to close; the driver would wait five. */
const closedSoon = <A, E>(layer: Layer.Layer<A, E>): Layer.Layer<A, E> =>
  Layer.effectContext(
    Effect.gen(function* () {
      const scope = yield* Effect.acquireRelease(Scope.make(), (scope, exit) =>
        interruptAtOnce(Scope.close(scope, exit)).pipe(Effect.timeoutOption("500 millis"), Effect.interruptible)
      )
      return yield* Layer.buildWithScope(layer, scope)
    })
  )

/** Whether the database answers, within two seconds. */
export const ping: Effect.Effect<void, Unavailable, SqlClient.SqlClient> = Effect.flatMap(SqlClient.SqlClient, (sql) =>
  interruptAtOnce(sql.unsafe("select 1").values).pipe(
    Effect.timeout("2 seconds"),
    Effect.mapError((cause) => unavailable({ outcome: "not-applied" }, cause)),
    Effect.asVoid
  )
)
