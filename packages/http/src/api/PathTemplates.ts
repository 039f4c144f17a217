/**
 * The paths that the API knows, and what each may be asked.
 */
import { HttpApi } from "effect/http-api"
import { Api } from "./Api.ts"

/** Methods by path template. */
export const methodsByPath: ReadonlyMap<string, ReadonlySet<string>> = (() => {
  const known = new Map<string, Set<string>>(
    ["/openapi.json", "/docs", "/metrics"].map((path) => [path, new Set(["GET", "HEAD"])])
  )
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

/** What is in front of the id that a path has, and what is behind it. */
const withId = /^(\/[^/]*\/[^/]*\/)[^/]*(.*)$/

/** The template of a request's path, for logs and metrics, which must not grow with what clients make up. */
export const templateOf = (url: string): string => {
  const end = url.search(/[?#;]/)
  const path = end === -1 ? url : url.slice(0, end)
  if (methodsByPath.has(path)) return path
  const known = withId.exec(path)
  const template = known === null ? path : `${known[1]}:id${known[2]}`
  return methodsByPath.has(template) ? template : "unknown"
}
