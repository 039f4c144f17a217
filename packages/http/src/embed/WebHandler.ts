import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as HttpEffect from "effect/http/HttpEffect"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as EmbeddedApi from "./EmbeddedApi.ts"

const isRead = ({ source }: HttpServerRequest.HttpServerRequest): boolean => {
  const { body, bodyUsed } = source as Request
  return bodyUsed || body?.locked === true
}

/**
 * The API as a function from `Request` to `Response`, for Hono, Next.js, `Deno.serve` and `Bun.serve`. Pass the request
 * with the prefix in its URL and the body unread. If the body has been read, writes are answered 500, and the log gives the
 * reason.
 *
 * The promise never rejects; every error is answered as problem details. If `request.signal` aborts, the work is
 * interrupted, also the statement in the database. Cancelling the body of an event stream ends the stream. The address of
 * the client is unknown here, so a rate limit applies to users only, not to invalid tokens.
 *
 * @example
 * const handler = yield* WebHandler
 * const response = yield* Effect.promise(() => handler(new Request("https://example.com/api/todos/v1/me")))
 */
export class WebHandler extends Context.Service<WebHandler, (request: Request) => Promise<Response>>()(
  "@todo/http/WebHandler"
) {
  /** Serves with the services of the host. Shuts down in order when its scope closes. */
  static readonly layer = (settings: EmbeddedApi.HandlerSettings = {}) =>
    Layer.effect(
      WebHandler,
      Effect.gen(function* () {
        const { app, requestServices } = yield* EmbeddedApi.makeDraining(settings, isRead)
        const host = yield* Effect.context<never>()
        const toWebHandler = HttpEffect.toWebHandlerWith<never, Effect.Services<typeof app>>(
          Context.merge(host, requestServices)
        )
        return WebHandler.of(toWebHandler(app))
      })
    )
}
