/**
 * The path templates of the API, and the methods of each.
 */
import { HttpApi } from "effect/http-api"
import { Api } from "./Api.ts"

/** The methods of path templates: `/v1/todos/:id` has `GET`, `HEAD`, `PUT`, `PATCH` and `DELETE`. */
export type MethodsByPath = ReadonlyMap<string, ReadonlySet<string>>

const readOnly = new Set(["GET", "HEAD"])

/** The paths that are always served. */
export const methodsByPath: MethodsByPath = (() => {
  const known = new Map<string, Set<string>>(["/openapi.json", "/docs"].map((path) => [path, new Set(readOnly)]))
  HttpApi.reflect(Api, {
    onGroup: () => {},
    onEndpoint: ({ endpoint }) => {
      const methods = known.get(endpoint.path) ?? new Set()
      methods.add(endpoint.method)
      if (endpoint.method === "GET") methods.add("HEAD")
      known.set(endpoint.path, methods)
    }
  })
  return known
})()

/** These paths and `/metrics`, which embedded handlers do not serve, and servers with a port for metrics serve there. */
export const methodsWithMetrics: MethodsByPath = new Map([...methodsByPath, ["/metrics", readOnly]])

/** Splits a path into the parts before and after its id. */
const withId = /^(\/[^/]*\/[^/]*\/)[^/]*(.*)$/

/**
 * The path template of a request, or `unknown`. Logs, metrics and span names use it: their number of values must not grow
 * with the paths that clients invent.
 */
export const templateOf = (url: string): string => {
  const end = url.search(/[?#;]/)
  const path = end === -1 ? url : url.slice(0, end)
  if (methodsWithMetrics.has(path)) return path
  const known = withId.exec(path)
  const template = known === null ? path : `${known[1]}:id${known[2]}`
  return methodsWithMetrics.has(template) ? template : "unknown"
}
