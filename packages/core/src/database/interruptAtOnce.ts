import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"

/**
 * Returns at once when it is interrupted, while the driver cancels the statement in the background. If the network has
 * gone silent that takes five seconds, which a request with a deadline does not have.
 */
export const interruptAtOnce = <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(Effect.forkDetach(self, { startImmediately: true }), (fiber) =>
      Effect.onInterrupt(restore(Fiber.join(fiber)), () => Effect.sync(() => fiber.interruptUnsafe()))
    )
  )
