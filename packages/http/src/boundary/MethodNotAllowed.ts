/**
 * What a known path answers to a method that it does not have: 405 with `Allow`, and
 * `Allow` alone to OPTIONS. The router would say 404.
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

/** The same for methods that the router has never heard of: what to answer in place of its 404. */
export const notAllowed = ({ method, url }: HttpServerRequest.HttpServerRequest) => {
  const known = routed.has(method) ? undefined : methodsByPath.get(templateOf(url))
  return known === undefined
    ? undefined
    : HttpServerResponse.empty({ status: 405, headers: { allow: [...known, "OPTIONS"].join(", ") } })
}
