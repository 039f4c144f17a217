/**
 * Problem responses that the contract does not encode. The router, the body reader and defects produce empty responses,
 * which become problem details here. Every problem gets the id of its request.
 */
import type { Unavailable } from "@todo/core/domain"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { describe, details, mediaType } from "../api/ProblemTypes.ts"

const byStatus: Record<number, keyof typeof details> = {
  400: "malformed-request",
  404: "route-not-found",
  405: "method-not-allowed",
  413: "payload-too-large",
  415: "unsupported-media-type"
}

const unavailable = (detail: string, outcome: typeof Unavailable.Type.outcome) =>
  HttpServerResponse.jsonUnsafe(
    { ...describe("unavailable", detail), outcome },
    { status: 503, contentType: mediaType, headers: { "retry-after": "1" } }
  )

/** 400: the Host header is missing, repeated or malformed. */
export const invalidHost = HttpServerResponse.jsonUnsafe(
  describe("malformed-request", "Send exactly one Host header that names one host, such as example.com:8080"),
  // Later requests on the connection may be meant for another server.
  { status: 400, contentType: mediaType, headers: { connection: "close" } }
)

/** 503: too many requests are in flight. */
export const overloaded = unavailable("The server has more requests than it can answer; try again later", "not-applied")

/** 503: the server is draining, or the handler has been disposed of. */
export const ending = unavailable("The server is shutting down; send the request to another one", "not-applied")

/** 503: the handler could not start, or was disposed of before it had. */
export const notStarted = unavailable("The handler is not running; its log says why", "not-applied")

/** 503: a read passed its deadline. */
export const outOfTime = unavailable("The server could not answer in time; try again later", "not-applied")

/** 503: a write passed its deadline, so its outcome is unknown. */
export const outOfTimeWriting = unavailable(
  "The server could not answer in time, and the write may have happened; repeat it with its Idempotency-Key, or read before you repeat it",
  "unknown"
)

/**
 * Adds the request id to a problem response. Any other response with a status of 400 or above is replaced by the problem of
 * its status; a status without one becomes `internal`.
 */
export const toProblem = (
  response: HttpServerResponse.HttpServerResponse,
  requestId: string
): HttpServerResponse.HttpServerResponse => {
  const { "content-length": _length, "content-type": type, ...headers } = response.headers
  const encoded = type?.startsWith(mediaType) && response.body._tag === "Uint8Array" ? response.body.body : undefined
  const code = byStatus[response.status] ?? "internal"
  const problem = encoded === undefined ? describe(code, details[code]) : JSON.parse(new TextDecoder().decode(encoded))
  return HttpServerResponse.jsonUnsafe(
    { ...problem, requestId },
    {
      status: problem.status,
      contentType: mediaType,
      headers
    }
  )
}
