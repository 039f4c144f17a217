import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"

/** Path segments of characters that URLs never escape, so that a prefix has only one spelling. */
const wellFormed = /^(\/[\w.~-]+)+$/

/** Throws a `TypeError` if the prefix is not well-formed. */
export const assertWellFormed = (prefix: string): void => {
  if (!wellFormed.test(prefix))
    throw new TypeError("prefix: must be a path such as /api/todos, without a slash at its end")
}

/** A path without a route. */
const noRoute = "/"

/** `url` without the prefix; `undefined` if it is not below the prefix. */
const stripPrefix = (prefix: string, url: string): string | undefined =>
  url.startsWith(`${prefix}/`) ? url.slice(prefix.length) : undefined

/** Rewrites the path of each request by `below`, and adds `base` to the `Location` of each response. */
const layerRewrite = (base: string, below: (url: string) => string) => {
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

/**
 * Mounts all routes below a prefix: removes it from the paths of requests, and adds it to `Location` in responses. With
 * `HttpRouter.prefixed` middleware would still see the prefix, and logs and metrics would not find the route.
 */
export const layer = (prefix: string) => {
  if (prefix === "") return Layer.empty
  assertWellFormed(prefix)
  return layerRewrite(prefix, (url) => stripPrefix(prefix, url) ?? noRoute)
}

/** The path of a public URL without a slash at its end. Empty if there is no URL or path. */
export const pathOf = (publicUrl: string | undefined): string =>
  publicUrl === undefined ? "" : new URL(publicUrl).pathname.replace(/\/$/, "")

/** The URL of a request without the public path. Some proxies remove that path, and others keep it. */
export const ownUrl = (path: string, url: string): string => (path === "" ? url : (stripPrefix(path, url) ?? url))

/**
 * Serves both at the root and below the path of the public URL, so a proxy may remove the path or keep it. `Location` in
 * responses has the public URL.
 */
export const layerPublic = (publicUrl: string) => {
  const path = pathOf(publicUrl)
  if (path !== "") assertWellFormed(path)
  return layerRewrite(publicUrl, (url) => ownUrl(path, url))
}
