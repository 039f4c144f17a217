/**
 * Problem responses that the contract does not encode. The router, the body reader and defects produce empty responses,
 * which become problem details here. Every problem gets the id of its request.
 */
import type { Unavailable } from "@todo/core/domain"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { describe, mediaType, type ProblemCode } from "../api/Problem.ts"

const byStatus: Record<number, readonly [ProblemCode, string]> = {
  400: ["malformed-request", "The request cannot be read"],
  404: ["route-not-found", "There is nothing at this path"],
  405: ["method-not-allowed", "The path does not know this method; see the Allow header"],
  413: ["payload-too-large", "The body is larger than this server reads"],
  415: ["unsupported-media-type", "The body must be JSON in UTF-8, and not compressed"]
}

const internal = ["internal", "Something went wrong on our side; the request id leads to it"] as const

const unavailable = (detail: string, outcome: typeof Unavailable.Type.outcome) =>
  HttpServerResponse.jsonUnsafe(
    { ...describe("unavailable", detail), outcome },
    { status: 503, contentType: mediaType, headers: { "retry-after": "1" } }
  )

/** 400: the Host header is missing, repeated or malformed. */
export const strangeHost = HttpServerResponse.jsonUnsafe(
  describe("malformed-request", "The Host header must be there once, and name one host, such as example.com:8080"),
  // Later requests on the connection may be meant for another server.
  { status: 400, contentType: mediaType, headers: { connection: "close" } }
)

/** 503: too many requests are in flight. */
export const overloaded = unavailable("The server has more requests than it can answer", "not-applied")

/** 503: the server is draining, or the handler has been disposed of. */
export const ending = unavailable("The server is about to end", "not-applied")

/** 503: a read passed its deadline. */
export const outOfTime = unavailable("The server cannot answer in time", "not-applied")

/** 503: a write passed its deadline, so its outcome is unknown. */
export const outOfTimeWriting = unavailable(
  "The server cannot answer in time. A write may have happened: repeat it under its Idempotency-Key",
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
  const [code, detail] = byStatus[response.status] ?? internal
  const problem = encoded === undefined ? describe(code, detail) : JSON.parse(new TextDecoder().decode(encoded))
  return HttpServerResponse.jsonUnsafe(
    { ...problem, requestId },
    {
      status: problem.status,
      contentType: mediaType,
      headers
    }
  )
}
