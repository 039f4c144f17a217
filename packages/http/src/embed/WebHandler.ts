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
 * The API as a function of web standards, for every framework that knows them: Hono, Next.js,
 * `Deno.serve`, `Bun.serve`. It takes requests as they came, with the mount prefix in their URL
 * and the body unread: behind what has read it, writes are answered 500, and the log says why.
 *
 * It never rejects; every error is answered as problem details. When `request.signal` aborts,
 * the work is interrupted, the statement in the database too; to cancel the body of an event
 * stream ends the stream. No address of a client is known here: a rate limit holds for users,
 * and bad tokens are not counted by address.
 *
 * @example
 * const handler = yield* WebHandler
 * const response = yield* Effect.promise(() => handler(new Request("https://example.com/api/todos/v1/me")))
 */
export class WebHandler extends Context.Service<WebHandler, (request: Request) => Promise<Response>>()(
  "@todo/http/WebHandler"
) {
  /** On the services of the host. Ends in order with its scope. */
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
