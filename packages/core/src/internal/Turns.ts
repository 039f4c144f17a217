import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"
import { Unavailable } from "../domain/Errors.ts"

/** How long a statement may wait for a connection. Longer waits only make a queue longer. */
const patience = "3 seconds"

/**
 * As many turns as the pool has connections, where the pool is ours (`Database.layer`); in
 * a pool of the host's, how long to wait is the host's affair.
 */
export class Turns extends Context.Reference<Semaphore.Semaphore | undefined>("@todo/core/Turns", {
  defaultValue: () => undefined
}) {}

/** Runs when it is its turn; gives up where that does not come in time, before anything was sent. */
export const inTurn =
  (turns: Semaphore.Semaphore | undefined) =>
  <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E | Unavailable, R> => {
    if (turns === undefined) return self
    const waited = Effect.timeoutOrElse(Semaphore.take(turns, 1), {
      duration: patience,
      orElse: () => Effect.fail(new Unavailable({ outcome: "not-applied" }))
    })
    return Effect.uninterruptibleMask((restore) =>
      Semaphore.takeIfAvailable(turns, 1).pipe(
        Effect.flatMap((taken) => (taken ? Effect.void : restore(waited))),
        Effect.andThen(Effect.ensuring(restore(self), Semaphore.release(turns, 1)))
      )
    )
  }
