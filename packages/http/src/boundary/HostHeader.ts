/**
 * The Host header. Proxies and servers that read it differently can be played off against each other, so a request whose
 * host is missing, empty, doubled or malformed is refused (RFC 9112, 3.2; RFC 9110, 4.2.1 for an empty one).
 */
import type { IncomingMessage } from "node:http"
import type { Headers } from "effect/http"

/** A name or an address, with or without a port. The comma that RFC 3986 allows in a name joins doubled headers. */
const host = /^([\w.~%!$&'()*+;=-]+|\[[\da-f:.]+\])(:\d{0,5})?$/i

/** Whether the host of a request is one; HTTP/1.0 and embedders need none. */
export const isAcceptable = (headers: Headers.Headers): boolean => {
  const given = headers["host"]
  return given === undefined || host.test(given)
}

/** Makes the host that HTTP/1.1 demands an empty one where it is missing. Node would refuse it without a body. */
export const markMissing = ({ headers, httpVersion }: IncomingMessage): void => {
  if (httpVersion !== "1.0") headers.host ??= ""
}
