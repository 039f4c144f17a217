/**
 * Routes for the methods that a known path does not have: they answer 405 with `Allow`. `OPTIONS` answers 204 with
 * `Allow`. Without these routes the router would answer 404.
 */
import * as HttpRouter from "effect/http/HttpRouter"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { methodsByPath, templateOf } from "../api/PathTemplates.ts"

const methods = ["GET", "POST", "PUT", "PATCH", "DELETE"] as const

export const layer = HttpRouter.addAll(
  [...methodsByPath].flatMap(([path, known]) => {
    const allow = [...known, "OPTIONS"].join(", ")
    return [
      HttpRouter.route("OPTIONS", path as `/${string}`, HttpServerResponse.empty({ status: 204, headers: { allow } })),
      ...methods
        .filter((method) => !known.has(method))
        .map((method) =>
          HttpRouter.route(method, path as `/${string}`, HttpServerResponse.empty({ status: 405, headers: { allow } }))
        )
    ]
  })
)

const routed = new Set<string>([...methods, "HEAD", "OPTIONS"])

/**
 * The 405 response to a method that the router cannot route, such as `PROPFIND`, on a known path. `undefined` if the 404
 * of the router is right.
 */
export const notAllowed = ({ method, url }: HttpServerRequest.HttpServerRequest) => {
  const known = routed.has(method) ? undefined : methodsByPath.get(templateOf(url))
  return known === undefined
    ? undefined
    : HttpServerResponse.empty({ status: 405, headers: { allow: [...known, "OPTIONS"].join(", ") } })
}
