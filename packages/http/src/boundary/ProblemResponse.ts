/**
 * The answers that the contract does not encode: what the router, the body reader and
 * defects leave empty becomes problem details, and every problem gets its request id.
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

/** For whatever host it was meant. */
export const strangeHost = HttpServerResponse.jsonUnsafe(
  describe("malformed-request", "The Host header must be there once, and name one host, such as example.com:8080"),
  // What follows on such a connection may not be meant for this server either.
  { status: 400, contentType: mediaType, headers: { connection: "close" } }
)

/** Turned away at the door. */
export const overloaded = unavailable("The server has more requests than it can answer", "not-applied")

/** Asked whether it is ready on its way out. */
export const ending = unavailable("The server is about to end", "not-applied")

/** Given up on, where it could not change anything. */
export const outOfTime = unavailable("The server cannot answer in time", "not-applied")

/** Given up on, where it could. */
export const outOfTimeWriting = unavailable(
  "The server cannot answer in time. A write may have happened: repeat it under its Idempotency-Key",
  "unknown"
)

/** The answer with a problem as its body, whatever made it. Only for statuses from 400 on. */
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
