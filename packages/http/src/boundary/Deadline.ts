/**
 * The deadline of a request, of one fiber and one timer. It takes 6 µs less for each request than `Effect.timeoutOrElse`:
 * 45 µs of CPU instead of 51 (`node packages/http/bench/request.ts`).
 *
 * To do without, use `Effect.timeoutOrElse` in `RequestMiddleware`. It also waits for the interruption, so the response
 * to a request on a silent connection comes seconds after the deadline.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"

/**
 * Runs `self` with a deadline, and succeeds with `late` after it. At the deadline, or if the caller is interrupted, `self`
 * is interrupted in the background: an interruption takes seconds when a connection is silent.
 */
export const before =
  <B>(deadline: Duration.Duration, late: B) =>
  <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A | B, E, R> =>
    Effect.flatMap(Effect.forkDetach(self, { startImmediately: true }), (fiber) =>
      Effect.interruptible(
        Effect.callback<A | B, E>((resume) => {
          const end = setTimeout(() => {
            fiber.interruptUnsafe()
            resume(Effect.succeed(late))
          }, Duration.toMillis(deadline))
          fiber.addObserver((exit) => {
            clearTimeout(end)
            resume(exit)
          })
          return Effect.sync(() => {
            clearTimeout(end)
            fiber.interruptUnsafe()
          })
        })
      )
    )
