/**
 * The checks that need only a request's headers. They run before a route is looked up and before a body is read.
 */
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { shed } from "../observability/RequestMetrics.ts"
import * as HostHeader from "./HostHeader.ts"
import { invalidHost, overloaded } from "./ProblemResponse.ts"

/**
 * The most requests in flight. Requests above it get 503 at once (load shedding), so that those in flight still end in
 * time. Health checks are exempt.
 */
const maxInFlight = 1_000

const isHealthCheck = (url: string): boolean => url.startsWith("/livez") || url.startsWith("/readyz")

const tooLarge = HttpServerResponse.empty({ status: 413, headers: { connection: "close" } })
const unsupported = HttpServerResponse.empty({ status: 415 })
const notFound = HttpServerResponse.empty({ status: 404 })

/** JSON is UTF-8 (RFC 8259, 8.1). A body in another charset would be decoded to wrong characters. */
const isForeignCharset = (contentType: string | undefined): boolean =>
  contentType !== undefined && /;\s*charset\s*=(?!\s*"?utf-?8"?\s*(;|$))/i.test(contentType)

/** The router reads what follows a semicolon as a query. No path of the API has one. */
const hasSemicolon = (url: string): boolean => url.split("?", 1)[0]?.includes(";") === true

/** The response to a request whose headers already rule it out; `undefined` if the request may go on. */
export const refusal = (
  { headers, url }: HttpServerRequest.HttpServerRequest,
  { bodyLimit, inFlight }: { readonly bodyLimit: number; readonly inFlight: number }
): Effect.Effect<HttpServerResponse.HttpServerResponse> | undefined => {
  if (inFlight > maxInFlight && !isHealthCheck(url)) return Effect.as(Metric.update(shed, 1), overloaded)
  if (Number(headers["content-length"] ?? 0) > bodyLimit) return Effect.succeed(tooLarge)
  if (!HostHeader.isAcceptable(headers)) return Effect.succeed(invalidHost)
  if (hasSemicolon(url)) return Effect.succeed(notFound)
  const encoding = headers["content-encoding"]?.toLowerCase()
  const isReadable = encoding === undefined || encoding === "identity"
  return isReadable && !isForeignCharset(headers["content-type"]) ? undefined : Effect.succeed(unsupported)
}
