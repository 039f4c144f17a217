/**
 * Optimisation: statements queue for the connections of our pool here, so that under load a request fails after three
 * seconds instead of waiting ever longer (503 with `Retry-After`), and one user's writes cannot take all connections.
 * The driver's own pool queues without either limit.
 *
 * Measure with `npm run bench` and the tests `Overload` and `Stalled`. Without it the driver's queue remains: set
 * `optimisations.connectionQueue` to `false`.
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
import { unavailable } from "./SqlErrors.ts"
import { optimisations } from "./optimisations.ts"

/** The longest wait for a connection. Longer waits only make a queue longer. */
const patience = "3 seconds"

const pending = Metric.gauge("db_client_connection_pending_requests", {
  description: "Statements that wait for a connection of the pool"
})

const timeouts = Metric.counter("db_client_connection_timeouts_total", {
  description: "Statements that were given up because no connection came free in time",
  incremental: true
})

/** The queue for the connections of a pool. */
interface Queue {
  readonly connections: number
  readonly permits: Semaphore.Semaphore
  /** How many statements wait. */
  waiting: number
  /** The queue of each user who is writing, as long as somebody is in it. */
  readonly writers: Map<string, { readonly queue: Queue; callers: number }>
}

export const makeQueue = (connections: number): Queue => ({
  connections,
  permits: Semaphore.makeUnsafe(connections),
  waiting: 0,
  writers: new Map()
})

/**
 * One user's writes may use four fifths of the connections. They wait for each other in the database, and would otherwise
 * keep all others from the pool meanwhile. With sixteen writes of one user at once and ten connections, a limit of eight
 * costs that user a tenth of the speed, five two fifths, two two thirds.
 */
const writersOf = ({ connections }: Queue): Queue => makeQueue(Math.max(1, Math.floor(connections * 0.8)))

/** The queue for our pool (`Database.layer`). In a pool of the host there is none: how long to wait is the host's choice. */
export class ConnectionQueue extends Context.Reference<Queue | undefined>("@todo/core/ConnectionQueue", {
  defaultValue: () => undefined
}) {
  /** For a pool of so many connections. Its metrics are exported from now on, also at 0, because alerts need that. */
  static readonly layer = (connections: number): Layer.Layer<never> =>
    Layer.effect(
      ConnectionQueue,
      Effect.as(Effect.andThen(Metric.modify(pending, 0), Metric.update(timeouts, 0)), makeQueue(connections))
    )
}

/** Runs once a connection is free, or fails after three seconds, before anything was sent. */
export const queued =
  (queue: Queue | undefined) =>
  <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E | Unavailable, R> => {
    if (queue === undefined || !optimisations.connectionQueue) return self
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
      // The permit is taken and given back around the run in one step, so that no end of the wait can lose it.
      const run = permits.withPermit(Effect.andThen(stopWaiting, self))
      const late = Effect.andThen(
        Effect.sleep(patience),
        Effect.suspend(() => (isWaiting ? tooLate : Effect.never))
      )
      return Effect.acquireUseRelease(
        wait,
        () => Effect.raceFirst(run, late),
        () => stopWaiting
      )
    })

    const atOnce = Effect.flatMap(
      permits.withPermitsIfAvailable(1)(self),
      Option.match({ onNone: () => waiting, onSome: Effect.succeed })
    )
    // First come, first served: a free permit belongs to those who wait.
    return Effect.suspend(() => (queue.waiting === 0 ? atOnce : waiting))
  }

/** For a write of a user, which waits for the other writes of that user first. */
export const queuedAsWriter =
  (queue: Queue | undefined, user: string) =>
  <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E | Unavailable, R> => {
    if (queue === undefined || !optimisations.connectionQueue) return self
    const { writers } = queue
    return Effect.suspend(() => {
      const own = writers.get(user) ?? { queue: writersOf(queue), callers: 0 }
      writers.set(user, own)
      own.callers++
      const left = Effect.sync(() => {
        own.callers--
        if (own.callers === 0) writers.delete(user)
      })
      return Effect.ensuring(queued(own.queue)(queued(queue)(self)), left)
    })
  }

const tooLate = Effect.andThen(
  Metric.update(timeouts, 1),
  Effect.suspend(() =>
    Effect.fail(
      unavailable({ outcome: "not-applied" }, new Error(`no connection of the pool came free in ${patience}`))
    )
  )
)

/** How many statements that go ahead of the queue may run at once. */
const aheadAtOnce = 4

/** For a statement that every request needs before it begins: it has a queue of its own, so it never waits behind them. */
export const queuedAhead = (queue: Queue | undefined) => queued(queue && makeQueue(aheadAtOnce))
