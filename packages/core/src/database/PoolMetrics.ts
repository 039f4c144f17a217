/**
 * Metrics of the connection pools of this process: their size, and their open connections. The values are computed when the
 * metrics are read, so statements cost nothing extra.
 */
import type { Duplex } from "node:stream"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import type * as Scope from "effect/Scope"

/** The state of one pool. */
export interface PoolUse {
  /** The maximum number of connections. */
  readonly max: number
  /** The number of connections, including those that are being opened. */
  readonly open: () => number
  /** The number of statements and transactions that the queue has given a connection. */
  readonly used: () => number
}

const max = Metric.gauge("db_client_connection_max", { description: "Connections that the pool may have" })
const count = (state: "idle" | "used") =>
  Metric.gauge("db_client_connection_count", {
    description: "Connections that the pool has, by state",
    attributes: { state }
  })

/** The pools of each registry. A process can have several pools at a time, for example at its start: their values are added. */
const poolsOf = new WeakMap<Metric.MetricRegistry, Set<PoolUse>>()

const noop = () => {}

const register = (context: Context.Context<never>): Set<PoolUse> => {
  const pools = new Set<PoolUse>()
  const sum = (metric: Metric.Gauge<number>, of: (pool: PoolUse) => number) =>
    Metric.registerUnsafe(metric, context, {
      get: () => ({ value: [...pools].reduce((total, pool) => total + of(pool), 0) }),
      update: noop,
      modify: noop
    })
  sum(max, (pool) => pool.max)
  // The queue counts a statement before its connection is opened, and statements of a host may bypass the queue.
  sum(count("used"), ({ open, used }) => Math.min(open(), used()))
  sum(count("idle"), ({ open, used }) => Math.max(0, open() - used()))
  return pools
}

/** Includes the pool in the metrics until the scope closes. */
export const observe = (pool: PoolUse): Effect.Effect<void, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.map(Effect.context<never>(), (context) => {
      const registry = Context.get(context, Metric.MetricRegistry)
      const pools = poolsOf.get(registry) ?? register(context)
      poolsOf.set(registry, pools)
      pools.add(pool)
      return pools
    }),
    (pools) => Effect.sync(() => pools.delete(pool))
  ).pipe(Effect.asVoid)

/** Counts the open sockets that `make` has created. */
export const countSockets = (make: () => Duplex) => {
  let open = 0
  return {
    open: () => open,
    stream: () => {
      const socket = make()
      open++
      socket.once("close", () => open--)
      return socket
    }
  }
}
