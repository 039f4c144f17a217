/**
 * Overload protection for the connection pool. A statement fails with `Unavailable` after three seconds in the queue, and
 * one user's writes use at most four fifths of the connections. The queue of the driver's pool has neither limit.
 *
 * Not `PartitionedSemaphore` of `effect`: it shares permits fairly between users, but one user's writes that wait for a
 * lock in the database would still hold every connection.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Semaphore from "effect/Semaphore"
import type { Unavailable } from "../domain/Errors.ts"
import * as PoolMetrics from "./PoolMetrics.ts"
import { unavailable } from "./SqlErrors.ts"

/** The longest wait for a connection. A longer wait would only make the queue longer. */
const waitLimit = "3 seconds"

const pending = Metric.gauge("db_client_connection_pending_requests", {
  description: "Statements that wait for a connection of the pool"
})

const timeouts = Metric.counter("db_client_connection_timeouts_total", {
  description: "Statements that failed because no connection became free in time",
  incremental: true
})

/** The queue for the connections of a pool. */
interface Queue {
  readonly connections: number
  readonly permits: Semaphore.Semaphore
  /** The number of statements that wait. */
  waiting: number
  /** A queue for each user with writes in progress. It is removed when its last caller leaves. */
  readonly writers: Map<string, { readonly queue: Queue; callers: number }>
}

export const makeQueue = (connections: number): Queue => ({
  connections,
  permits: Semaphore.makeUnsafe(connections),
  waiting: 0,
  writers: new Map()
})

/**
 * One user's writes may use four fifths of the connections. They wait for the same row lock in the database, and without
 * a limit they could hold the whole pool while they wait. With 16 concurrent writes of one user and 10 connections, a
 * limit of 8 costs that user 10 % of the speed, a limit of 5 costs 40 %, and a limit of 2 costs 67 %.
 */
const writersOf = ({ connections }: Queue): Queue => makeQueue(Math.max(1, Math.floor(connections * 0.8)))

/** The queue of the pool that `Database.layer` opens. A pool of the host has none: the host chooses how long to wait. */
export class ConnectionQueue extends Context.Reference<Queue | undefined>("@todo/core/ConnectionQueue", {
  defaultValue: () => undefined
}) {
  /**
   * The queue for a pool of at most `connections` connections; `open` returns the number of open ones. The metrics are
   * exported at once with the value 0, because alerts need that.
   */
  static readonly layer = (connections: number, open: () => number): Layer.Layer<never> =>
    Layer.effect(
      ConnectionQueue,
      Effect.gen(function* () {
        yield* Metric.modify(pending, 0)
        yield* Metric.update(timeouts, 0)
        const queue = makeQueue(connections)
        // `release` returns the number of free permits. With 0 it changes nothing.
        const free = queue.permits.release(0)
        yield* PoolMetrics.observe({ max: connections, open, used: () => connections - Effect.runSync(free) })
        return queue
      })
    )
}

/** Runs the effect when a connection is free. After three seconds in the queue it fails, and nothing is sent. */
export const queued =
  (queue: Queue | undefined) =>
  <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E | Unavailable, R> => {
    if (queue === undefined) return self
    const { permits } = queue

    const waiting = Effect.suspend(() => {
      let isWaiting = false
      const wait = Effect.suspend(() => {
        isWaiting = true
        queue.waiting++
        return Metric.modify(pending, 1)
      })
      const stopWaiting = Effect.suspend(() => {
        if (!isWaiting) return Effect.void
        isWaiting = false
        queue.waiting--
        return Metric.modify(pending, -1)
      })
      // `withPermit` takes and releases the permit in one step, so an interrupted wait cannot lose it.
      const run = permits.withPermit(Effect.andThen(stopWaiting, self))
      const timeout = Effect.andThen(
        Effect.sleep(waitLimit),
        Effect.suspend(() => (isWaiting ? timedOut : Effect.never))
      )
      return Effect.acquireUseRelease(
        wait,
        () => Effect.raceFirst(run, timeout),
        () => stopWaiting
      )
    })

    const atOnce = Effect.flatMap(
      permits.withPermitsIfAvailable(1)(self),
      Option.match({ onNone: () => waiting, onSome: Effect.succeed })
    )
    // First come, first served: while statements wait, a free permit belongs to them.
    return Effect.suspend(() => (queue.waiting === 0 ? atOnce : waiting))
  }

/** Queues a write: first among the writes of its user, then for a connection. */
export const queuedAsWriter =
  (queue: Queue | undefined, user: string) =>
  <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E | Unavailable, R> => {
    if (queue === undefined) return self
    const { writers } = queue
    return Effect.suspend(() => {
      const writer = writers.get(user) ?? { queue: writersOf(queue), callers: 0 }
      writers.set(user, writer)
      writer.callers++
      const leave = Effect.sync(() => {
        writer.callers--
        if (writer.callers === 0) writers.delete(user)
      })
      return Effect.ensuring(queued(writer.queue)(queued(queue)(self)), leave)
    })
  }

const timedOut = Effect.andThen(
  Metric.update(timeouts, 1),
  Effect.suspend(() =>
    Effect.fail(
      unavailable({ outcome: "not-applied" }, new Error(`no connection of the pool became free within ${waitLimit}`))
    )
  )
)

/** The number of statements of the priority queue that may run at once. */
const priorityConnections = 4

/** A queue of its own for statements that every request needs first, so they never wait behind the requests themselves. */
export const priorityQueued = (queue: Queue | undefined) => queued(queue && makeQueue(priorityConnections))
