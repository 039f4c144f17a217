/**
 * What a known path answers to a method that it does not have: 405 with `Allow`, and
 * `Allow` alone to OPTIONS. The router would say 404.
 */
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { HttpApi } from "effect/http-api"
import { Api } from "./api/Api.ts"

const methods = ["GET", "POST", "PUT", "PATCH", "DELETE"] as const

const allowed = new Map<string, Set<string>>([
  ["/openapi.json", new Set(["GET", "HEAD"])],
  ["/docs", new Set(["GET", "HEAD"])]
])
HttpApi.reflect(Api, {
  onGroup: () => {},
  onEndpoint: ({ endpoint }) => {
    const known = allowed.get(endpoint.path) ?? new Set()
    known.add(endpoint.method)
    if (endpoint.method === "GET") known.add("HEAD")
    allowed.set(endpoint.path, known)
  }
})

export const layer = HttpRouter.addAll(
  [...allowed].flatMap(([path, known]) => {
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
