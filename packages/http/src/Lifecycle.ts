import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

/** Whether the server is on its way out: no longer ready, closing its connections, ending its streams. */
export class Lifecycle extends Context.Service<
  Lifecycle,
  {
    readonly draining: () => boolean
    /** Waits for the end. */
    readonly ended: Effect.Effect<void>
    readonly drain: Effect.Effect<void>
  }
>()("@todo/http/Lifecycle") {
  static readonly layer = Layer.sync(Lifecycle, () => {
    const end = Deferred.makeUnsafe<void>()
    return Lifecycle.of({
      draining: () => Deferred.isDoneUnsafe(end),
      ended: Deferred.await(end),
      drain: Effect.asVoid(Deferred.succeed(end, undefined))
    })
  })

  /** Provide it above the server: it is then the first to hear of the end. */
  static readonly layerDrain = Layer.effectDiscard(
    Effect.flatMap(Lifecycle, ({ drain }) => Effect.addFinalizer(() => drain))
  )
}
