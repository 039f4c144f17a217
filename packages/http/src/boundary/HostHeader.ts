/**
 * Checks the Host header. An attacker can exploit a proxy and a server that read the header differently, so a request is
 * refused if its host is missing, empty, repeated or malformed (RFC 9112, 3.2; RFC 9110, 4.2.1 for an empty host).
 */
import type { IncomingMessage } from "node:http"
import type { Headers } from "effect/http"

/** A name or an address, with an optional port. RFC 3986 allows a comma in a name, but Node joins repeated headers with it. */
const host = /^([\w.~%!$&'()*+;=-]+|\[[\da-f:.]+\])(:\d{0,5})?$/i

/** Whether the host is well-formed or absent. HTTP/1.0 and embedded handlers need no host. */
export const isAcceptable = (headers: Headers.Headers): boolean => {
  const given = headers["host"]
  return given === undefined || host.test(given)
}

/**
 * Sets a missing host of an HTTP/1.1 request to the empty string, so that `isAcceptable` refuses it with problem details.
 * Node itself would refuse it without a body.
 */
export const markMissing = ({ headers, httpVersion }: IncomingMessage): void => {
  if (httpVersion !== "1.0") headers.host ??= ""
}
