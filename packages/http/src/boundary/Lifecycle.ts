import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

/**
 * The shutdown of a server, in two steps. First it drains: `/readyz` answers 503, and each response closes its connection.
 * After a delay it ends: event streams end, and no new request is accepted.
 */
export class Lifecycle extends Context.Service<
  Lifecycle,
  {
    /** Whether the shutdown has begun. */
    readonly draining: () => boolean
    /** Completes when no new request is accepted. */
    readonly ended: Effect.Effect<void>
    /** Begins the shutdown. Requests are still accepted for `delay`, so that load balancers can notice, and then no longer. */
    readonly drain: (delay: Duration.Duration) => Effect.Effect<void>
  }
>()("@todo/http/Lifecycle") {
  /** Makes a lifecycle whose shutdown has not begun. */
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

  /** A lifecycle whose shutdown has not begun. */
  static readonly layer = Layer.effect(Lifecycle, this.make)

  /**
   * Begins the shutdown when its scope closes, and then waits for `delay`. Provide the server to this layer: finalizers
   * run in reverse order, so the shutdown begins before the server closes.
   */
  static readonly layerDrain = (delay: Duration.Duration) =>
    Layer.effectDiscard(Effect.flatMap(Lifecycle, ({ drain }) => Effect.addFinalizer(() => drain(delay))))
}
