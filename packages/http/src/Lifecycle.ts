import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

/** Whether the server is on its way out: no longer ready, and closing its connections. */
export class Lifecycle extends Context.Service<Lifecycle, { draining: boolean }>()("@todo/http/Lifecycle") {
  static readonly layer = Layer.sync(Lifecycle, () => Lifecycle.of({ draining: false }))

  /** Provide it above the server: it is then the first to hear of the end. */
  static readonly layerDrain = Layer.effectDiscard(
    Effect.gen(function* () {
      const lifecycle = yield* Lifecycle
      yield* Effect.addFinalizer(() => Effect.sync(() => (lifecycle.draining = true)))
    })
  )
}
