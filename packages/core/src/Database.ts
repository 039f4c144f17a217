/**
 * The connection to PostgreSQL, for programs that have none of their own.
 */
import * as PgClient from "@effect/sql-pg/PgClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import type { Unavailable } from "./domain/Errors.ts"
import { abandonable } from "./internal/Abandonable.ts"
import { unavailable } from "./internal/SqlFailure.ts"
import { Turns } from "./internal/Turns.ts"

/** Where the database is and how to use it. */
export interface DatabaseSettings {
  /** `postgres://user:password@host:5432/database`. */
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
  /** Shown in `pg_stat_activity`. */
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

/** The address of a PostgreSQL database: `postgres://user@host/database`. */
export const DatabaseUrl = Schema.String.check(
  Schema.makeFilter(
    (text) => {
      const url = URL.canParse(text) ? new URL(text) : undefined
      return (
        url !== undefined && /^postgres(ql)?:$/.test(url.protocol) && url.username !== "" && url.pathname.length > 1
      )
    },
    { expected: "a URL like postgres://user:password@host:5432/database" }
  )
)

/**
 * A pool of connections of its own, for programs that have none. It opens connections
 * when they are needed: it can be built while the database is down, and works again as
 * soon as the database does. A statement waits three seconds for a connection, no longer.
 *
 * @example
 * const services = Services.layer.pipe(
 *   Layer.provideMerge(Database.layer({ url: Redacted.make("postgres://todo_runtime@localhost/app") }))
 * )
 */
export const layer = (settings: DatabaseSettings): Layer.Layer<PgClient.PgClient | SqlClient.SqlClient, SqlError> => {
  const prepare = settings.prepare ?? true
  const poolSize = settings.poolSize ?? 10
  const client = PgClient.layer({
    url: settings.url,
    maxConnections: poolSize,
    connectTimeout: "3 seconds",
    applicationName: settings.applicationName ?? "todo",
    prepare,
    ...(prepare && !settings.unlimited && { startupParameters: limits })
  })
  return Layer.merge(closedSoon(client), Turns.layer(poolSize))
}

/** Connections that have gone silent get half a second to close; the driver would wait five. */
const closedSoon = <A, E>(layer: Layer.Layer<A, E>): Layer.Layer<A, E> =>
  Layer.effectContext(
    Effect.gen(function* () {
      const scope = yield* Effect.acquireRelease(Scope.make(), (scope, exit) =>
        abandonable(Scope.close(scope, exit)).pipe(Effect.timeoutOption("500 millis"), Effect.interruptible)
      )
      return yield* Layer.buildWithScope(layer, scope)
    })
  )

/** Whether the database answers, within two seconds. */
export const ping: Effect.Effect<void, Unavailable, SqlClient.SqlClient> = Effect.flatMap(SqlClient.SqlClient, (sql) =>
  abandonable(sql.unsafe("select 1").values).pipe(
    Effect.timeout("2 seconds"),
    Effect.mapError((cause) => unavailable({ outcome: "not-applied" }, cause)),
    Effect.asVoid
  )
)
