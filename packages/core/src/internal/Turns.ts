import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Semaphore from "effect/Semaphore"
import type { Unavailable } from "../domain/Errors.ts"
import { unavailable } from "./SqlFailure.ts"

/** How long a statement may wait for a connection. Longer waits only make a queue longer. */
const patience = "3 seconds"

const pending = Metric.gauge("db_client_connection_pending_requests", {
  description: "Statements that wait for a connection of the pool"
})

const timeouts = Metric.counter("db_client_connection_timeouts_total", {
  description: "Statements that were given up because no connection came free in time",
  incremental: true
})

/** A place in the queue for the connections of a pool. */
interface Queue {
  readonly connections: number
  readonly turns: Semaphore.Semaphore
  /** How many wait. */
  waiting: number
  /** Of each user who writes, the queue for that, as long as somebody is in it. */
  readonly writers: Map<string, { readonly queue: Queue; callers: number }>
}

export const makeQueue = (connections: number): Queue => ({
  connections,
  turns: Semaphore.makeUnsafe(connections),
  waiting: 0,
  writers: new Map()
})

/**
 * How many connections the writes of one user may have at once. They wait for each other in the database, and for
 * whoever else holds the user's row: without a limit, those of one user would keep all others from the pool meanwhile.
 * Of sixteen at once, eight of ten connections cost a tenth, five two fifths, and two two thirds.
 */
const writersOf = ({ connections }: Queue): Queue => makeQueue(Math.max(1, Math.floor(connections * 0.8)))

/**
 * The queue for the pool, where the pool is ours (`Database.layer`); in a pool of the
 * host's, how long to wait is the host's affair.
 */
export class Turns extends Context.Reference<Queue | undefined>("@todo/core/Turns", {
  defaultValue: () => undefined
}) {
  /** For a pool of so many connections. What is counted is there from now on, also where it is 0: alerts need that. */
  static readonly layer = (connections: number): Layer.Layer<never> =>
    Layer.effect(
      Turns,
      Effect.as(Effect.andThen(Metric.modify(pending, 0), Metric.update(timeouts, 0)), makeQueue(connections))
    )
}

/** Runs when it is its turn; gives up where that does not come in time, before anything was sent. */
export const inTurn =
  (queue: Queue | undefined) =>
  <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E | Unavailable, R> => {
    if (queue === undefined) return self
    const { turns } = queue

    const queued = Effect.suspend(() => {
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
      // The turn is taken and given back in one step with the run, so that no end of the wait can lose it.
      const run = turns.withPermit(Effect.andThen(stopWaiting, self))
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
      turns.withPermitsIfAvailable(1)(self),
      Option.match({ onNone: () => queued, onSome: Effect.succeed })
    )
    // A turn that comes free belongs to who waits, and not to who comes by at that moment.
    return Effect.suspend(() => (queue.waiting === 0 ? atOnce : queued))
  }

/** The same for a write of a user, which waits for the others of that user first. */
export const inTurnOf =
  (queue: Queue | undefined, user: string) =>
  <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E | Unavailable, R> => {
    if (queue === undefined) return self
    const { writers } = queue
    return Effect.suspend(() => {
      const own = writers.get(user) ?? { queue: writersOf(queue), callers: 0 }
      writers.set(user, own)
      own.callers++
      const left = Effect.sync(() => {
        own.callers--
        if (own.callers === 0) writers.delete(user)
      })
      return Effect.ensuring(inTurn(own.queue)(inTurn(queue)(self)), left)
    })
  }

const tooLate = Effect.andThen(
  Metric.update(timeouts, 1),
  Effect.suspend(() =>
    Effect.fail(
      unavailable({ outcome: "not-applied" }, new Error(`its turn for a connection did not come in ${patience}`))
    )
  )
)
