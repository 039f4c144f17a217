import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"

/**
 * Returns at once when it is interrupted, while the driver ends the statement in the
 * background: where the network has gone silent, that takes five seconds more, and whoever
 * has a deadline has no time for it.
 */
export const abandonable = <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(Effect.forkDetach(self, { startImmediately: true }), (fiber) =>
      Effect.onInterrupt(restore(Fiber.join(fiber)), () => Effect.sync(() => fiber.interruptUnsafe()))
    )
  )
