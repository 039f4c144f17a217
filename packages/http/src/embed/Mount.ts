/**
 * The API among the routes of a host that serves with Effect's `HttpRouter`.
 */
import * as Effect from "effect/Effect"
import * as HttpEffect from "effect/http/HttpEffect"
import * as HttpMiddleware from "effect/http/HttpMiddleware"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as EmbeddedApi from "./EmbeddedApi.ts"
import * as Prefix from "../boundary/Prefix.ts"

/** Where, and how. */
export interface MountSettings extends EmbeddedApi.EmbeddedSettings {
  /** The path above the API's, `/api/todos`. */
  readonly prefix: string
}

/**
 * Adds one route, `prefix/*`, to the host's router. What is below it is answered here to its
 * end, errors too; nothing of it touches other routes. Global middlewares of the host see its
 * requests and answers like any others.
 *
 * The host's `Lifecycle` ends event streams: provide `Lifecycle.layerDrain` above the server, or
 * they hold up its end for as long as it waits for requests. Two mounts on two databases are
 * `Layer.fresh` each, as layers are built once.
 *
 * @example
 * Mount.layer({ prefix: "/api/todos" }).pipe(
 *   Layer.provide(Authentication.layerFrom((request) => Effect.succeed(request.headers["x-user"]))),
 *   Layer.provide(Services.layer)
 * )
 */
export const layer = (settings: MountSettings) => {
  Prefix.assertWellFormed(settings.prefix)
  return HttpRouter.use(
    Effect.fnUntraced(function* (router) {
      const { app, requestServices } = yield* EmbeddedApi.make(settings)

      const answer = Effect.suspend(() => {
        let answered: HttpServerResponse.HttpServerResponse | undefined
        return HttpEffect.toHandled(app, (request, response) =>
          Effect.sync(() => {
            answered = request.method === "HEAD" ? response : HttpEffect.scopeTransferToStream(response)
          })
        ).pipe(
          // What is wrong has been answered and told; where nobody waits any more, the host finds out by itself.
          Effect.exit,
          Effect.map(() => answered ?? HttpServerResponse.empty({ status: 500 }))
        )
      })

      yield* router.add(
        "*",
        `${settings.prefix}/*` as `/${string}`,
        answer.pipe(
          // The host has a span for the request.
          Effect.provideService(HttpMiddleware.TracerDisabledWhen, () => true),
          Effect.provideContext(requestServices)
        )
      )
    })
  )
}
