/**
 * The codes of problem details (RFC 9457) with their statuses and titles. This is the only table from errors to statuses.
 */

export const mediaType = "application/problem+json"

/** The HTTP status and the title of each problem code. `unparsedRequests` has the other statuses of `malformed-request`. */
export const problemTypes = {
  "malformed-request": { status: 400, title: "Malformed request" },
  "invalid-cursor": { status: 400, title: "Invalid cursor" },
  unauthorized: { status: 401, title: "Unauthorized" },
  "user-disabled": { status: 403, title: "User disabled" },
  "todo-not-found": { status: 404, title: "Todo not found" },
  "list-not-found": { status: 404, title: "List not found" },
  "route-not-found": { status: 404, title: "Route not found" },
  "method-not-allowed": { status: 405, title: "Method not allowed" },
  conflict: { status: 409, title: "Conflict" },
  "list-not-empty": { status: 409, title: "List not empty" },
  "idempotency-key-in-use": { status: 409, title: "Idempotency key in use" },
  "cursor-expired": { status: 410, title: "Cursor expired" },
  "revision-mismatch": { status: 412, title: "Revision mismatch" },
  "payload-too-large": { status: 413, title: "Payload too large" },
  "unsupported-media-type": { status: 415, title: "Unsupported media type" },
  "invalid-input": { status: 422, title: "Invalid input" },
  "idempotency-key-reused": { status: 422, title: "Idempotency key reused" },
  "rate-limited": { status: 429, title: "Rate limited" },
  internal: { status: 500, title: "Internal error" },
  unavailable: { status: 503, title: "Unavailable" }
} as const

/** The stable code of a problem, by which programs distinguish problems: `todo-not-found`. */
export type ProblemCode = keyof typeof problemTypes

/** What to do about the problems that only HTTP has; the others say it with the message of their error. */
export const details = {
  "malformed-request": "The request cannot be read; send valid JSON in UTF-8 and well-formed headers",
  "route-not-found": "There is no route at this path; correct the path",
  "method-not-allowed": "This path does not have this method; use one that the Allow header lists",
  "payload-too-large": "The body is larger than the server accepts; send a smaller one",
  "unsupported-media-type": "The body must be application/json in UTF-8, and not compressed",
  internal: "The server failed; report it with the request id"
} as const satisfies Partial<Record<ProblemCode, string>>

/**
 * The status and detail of a `malformed-request` that reaches no route, because the HTTP parser refuses it. Such responses
 * are not in the OpenAPI document.
 */
export const unparsedRequests = {
  notHttp: {
    status: problemTypes["malformed-request"].status,
    detail: "The input is not HTTP; send an HTTP/1.1 request"
  },
  late: { status: 408, detail: "The rest of the request did not arrive in time; send it again" },
  headersTooLarge: { status: 431, detail: "The headers are larger than the server accepts; send less" }
} as const

/** The members that every problem of a code has. `RequestMiddleware` adds `requestId` to the response. */
export const describe = <Code extends ProblemCode>(code: Code, detail: string) => ({
  type: `urn:todo:problem:${code}`,
  title: problemTypes[code].title,
  status: problemTypes[code].status,
  detail,
  code
})
