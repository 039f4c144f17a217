import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"

/**
 * Returns as soon as it is interrupted. The driver cancels the statement in the background: on a silent network that takes
 * five seconds, and a request with a deadline cannot wait so long.
 */
export const interruptAtOnce = <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(Effect.forkDetach(self, { startImmediately: true }), (fiber) =>
      Effect.onInterrupt(restore(Fiber.join(fiber)), () => Effect.sync(() => fiber.interruptUnsafe()))
    )
  )
