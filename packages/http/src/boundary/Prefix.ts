import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"

/** Segments of characters that no URL escapes, so that there is one spelling of it. */
const wellFormed = /^(\/[\w.~-]+)+$/

/** Throws where it is no prefix. */
export const assertWellFormed = (prefix: string): void => {
  if (!wellFormed.test(prefix)) throw new TypeError("prefix: a path like /api/todos, without a slash at its end")
}

/** No route is there. */
const nowhere = "/"

/** Serves below a prefix what is written without: takes it off the paths of requests, and puts it before those of answers. */
export const layer = (prefix: string) => {
  if (prefix === "") return Layer.empty
  assertWellFormed(prefix)

  const below = (url: string): string => (url.startsWith(`${prefix}/`) ? url.slice(prefix.length) : nowhere)

  const located = (response: HttpServerResponse.HttpServerResponse) => {
    const { location } = response.headers
    return location?.startsWith("/") ? HttpServerResponse.setHeader(response, "location", prefix + location) : response
  }

  return HttpRouter.middleware(
    (app) =>
      Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) =>
        Effect.provideService(
          Effect.map(app, located),
          HttpServerRequest.HttpServerRequest,
          request.modify({ url: below(request.url) })
        )
      ),
    { global: true }
  )
}
