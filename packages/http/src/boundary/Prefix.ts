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

/** Where `url` leads without the prefix; `undefined` where it is not below it. */
const without = (prefix: string, url: string): string | undefined =>
  url.startsWith(`${prefix}/`) ? url.slice(prefix.length) : undefined

/** Rewrites the path of each request by `below`, and puts `base` before the `Location` of each answer. */
const rewriting = (base: string, below: (url: string) => string) => {
  const located = (response: HttpServerResponse.HttpServerResponse) => {
    const { location } = response.headers
    return location?.startsWith("/") ? HttpServerResponse.setHeader(response, "location", base + location) : response
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

/** Serves below a prefix what is written without: takes it off the paths of requests, and puts it before those of answers. */
export const layer = (prefix: string) => {
  if (prefix === "") return Layer.empty
  assertWellFormed(prefix)
  return rewriting(prefix, (url) => without(prefix, url) ?? nowhere)
}

/** The path of a public URL, without a slash at its end; empty where it has none. */
export const pathOf = (publicUrl: string | undefined): string =>
  publicUrl === undefined ? "" : new URL(publicUrl).pathname.replace(/\/$/, "")

/** The path that the server has for a request: some proxies take the public path off, others leave it. */
export const ownUrl = (path: string, url: string): string => (path === "" ? url : (without(path, url) ?? url))

/**
 * Serves at the root and below the path of the public URL alike, so that it makes no difference whether a proxy takes
 * the path off. Answers name the public URL.
 */
export const layerPublic = (publicUrl: string) => {
  const path = pathOf(publicUrl)
  if (path !== "") assertWellFormed(path)
  return rewriting(publicUrl, (url) => ownUrl(path, url))
}
