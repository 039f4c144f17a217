/**
 * Routes for the methods that a known path does not have: they answer 405 with `Allow`. `OPTIONS` answers 204 with
 * `Allow`. Without these routes the router would answer 404.
 */
import * as HttpRouter from "effect/http/HttpRouter"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { type MethodsByPath, templateOf } from "../api/PathTemplates.ts"

const methods = ["GET", "POST", "PUT", "PATCH", "DELETE"] as const

/** The response with the methods of a path. */
const withAllow = (status: 204 | 405, known: ReadonlySet<string>) =>
  HttpServerResponse.empty({ status, headers: { allow: [...known, "OPTIONS"].join(", ") } })

/** The routes for the paths that the app serves. */
export const layer = (paths: MethodsByPath) =>
  HttpRouter.addAll(
    [...paths].flatMap(([path, known]) => [
      HttpRouter.route("OPTIONS", path as `/${string}`, withAllow(204, known)),
      ...methods
        .filter((method) => !known.has(method))
        .map((method) => HttpRouter.route(method, path as `/${string}`, withAllow(405, known)))
    ])
  )

const routed = new Set<string>([...methods, "HEAD", "OPTIONS"])

/**
 * The 405 response to a method that the router cannot route, such as `PROPFIND`, on a known path. `undefined` if the 404
 * of the router is right.
 */
export const notAllowed = (paths: MethodsByPath, { method, url }: HttpServerRequest.HttpServerRequest) => {
  const known = routed.has(method) ? undefined : paths.get(templateOf(url))
  return known === undefined ? undefined : withAllow(405, known)
}
