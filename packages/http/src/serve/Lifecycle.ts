import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

/** Whether the server is on its way out: first no longer ready, then closing its connections and ending its streams. */
export class Lifecycle extends Context.Service<
  Lifecycle,
  {
    /** From the first moment on: not ready, and each answer is the last of its connection. */
    readonly draining: () => boolean
    /** Waits until nothing new is taken. */
    readonly ended: Effect.Effect<void>
    /** Takes what still comes for so long, for balancers that have yet to notice, and then nothing new. */
    readonly drain: (delay: Duration.Duration) => Effect.Effect<void>
  }
>()("@todo/http/Lifecycle") {
  /** One that has not begun to end. */
  static readonly make = Effect.sync(() => {
    const end = Deferred.makeUnsafe<void>()
    let draining = false
    return Lifecycle.of({
      draining: () => draining,
      ended: Deferred.await(end),
      drain: (delay) =>
        Effect.suspend(() => {
          draining = true
          return Effect.sleep(delay)
        }).pipe(Effect.andThen(Deferred.succeed(end, undefined)), Effect.asVoid)
    })
  })

  /** One for the server above it, and all that asks it. */
  static readonly layer = Layer.effect(Lifecycle, this.make)

  /** Provide it above the server: it is then the first to hear of the end. */
  static readonly layerDrain = (delay: Duration.Duration) =>
    Layer.effectDiscard(Effect.flatMap(Lifecycle, ({ drain }) => Effect.addFinalizer(() => drain(delay))))
}
