/**
 * How large the pools of this process are, and how many of their connections are open. Read when somebody asks for the
 * metrics; a statement pays nothing.
 */
import type { Duplex } from "node:stream"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import type * as Scope from "effect/Scope"

/** A pool, as its metrics see it. */
export interface PoolUse {
  /** How many connections it may have. */
  readonly max: number
  /** How many connections it has, including those that are being opened. */
  readonly open: () => number
  /** How many statements or transactions have been let through to a connection. */
  readonly used: () => number
}

const max = Metric.gauge("db_client_connection_max", { description: "Connections that the pool may have" })
const count = (state: "idle" | "used") =>
  Metric.gauge("db_client_connection_count", {
    description: "Connections that the pool has, by state",
    attributes: { state }
  })

/** By registry. A process may have several pools for a while, such as at its start: they are added up. */
const poolsOf = new WeakMap<Metric.MetricRegistry, Set<PoolUse>>()

const ignored = () => {}

const register = (context: Context.Context<never>): Set<PoolUse> => {
  const pools = new Set<PoolUse>()
  const sum = (metric: Metric.Gauge<number>, of: (pool: PoolUse) => number) =>
    Metric.registerUnsafe(metric, context, {
      get: () => ({ value: [...pools].reduce((total, pool) => total + of(pool), 0) }),
      update: ignored,
      modify: ignored
    })
  sum(max, (pool) => pool.max)
  // A statement is let through right before its connection is opened, and a host may run some past our queue.
  sum(count("used"), ({ open, used }) => Math.min(open(), used()))
  sum(count("idle"), ({ open, used }) => Math.max(0, open() - used()))
  return pools
}

/** Counts the pool in until the scope closes. */
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

/** Counts the sockets that `make` makes until they are closed. */
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
