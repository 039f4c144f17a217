/**
 * Mounts the API among the routes of an Effect `HttpRouter`.
 */
import * as Effect from "effect/Effect"
import * as HttpEffect from "effect/http/HttpEffect"
import * as HttpMiddleware from "effect/http/HttpMiddleware"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as EmbeddedApi from "./EmbeddedApi.ts"
import * as Prefix from "../boundary/Prefix.ts"

/** The settings of a mounted API. */
export interface MountSettings extends EmbeddedApi.EmbeddedSettings {
  /** The path below which the API is mounted: `/api/todos`, without a slash at its end. */
  readonly prefix: string
}

/**
 * Adds one route, `prefix/*`, to the router of the host. The API answers every request below the prefix, also with errors.
 * Other routes are not affected. Global middleware of the host sees the requests and responses of the API too.
 *
 * Provide `Lifecycle.layerDrain` above the server, so that event streams end when the host shuts down. Otherwise they
 * delay the shutdown until its timeout. To mount two APIs on two databases, wrap each in `Layer.fresh`, because layers are
 * built once.
 *
 * Throws a `TypeError` if `prefix` is not well-formed.
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
          // A failure has been answered and logged. An interruption reaches the host by itself.
          Effect.exit,
          Effect.map(() => answered ?? HttpServerResponse.empty({ status: 500 }))
        )
      })

      yield* router.add(
        "*",
        `${settings.prefix}/*` as `/${string}`,
        answer.pipe(
          // The host makes the span of the request.
          Effect.provideService(HttpMiddleware.TracerDisabledWhen, () => true),
          Effect.provideContext(requestServices)
        )
      )
    })
  )
}
