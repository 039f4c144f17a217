/**
 * Every error of the API as problem details (RFC 9457): its code, its status and its encoding. This is the only table from
 * errors to statuses.
 */
import * as Domain from "@todo/core/domain"
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"
import { HttpApiSchema } from "effect/http-api"
import { EntityTag, etag } from "./Headers.ts"

export const mediaType = "application/problem+json"

/** The HTTP status and the title of each problem code. */
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
  "route-not-found": "There is nothing at this path; correct it",
  "method-not-allowed": "This path does not take this method; use one of the Allow header",
  "payload-too-large": "The body is larger than this server takes; send less",
  "unsupported-media-type": "The body must be application/json in UTF-8, and not compressed",
  internal: "Something went wrong in the server; report it with the request id"
} as const satisfies Partial<Record<ProblemCode, string>>

/** The members that every problem of a code has. `RequestMiddleware` adds `requestId` to the response. */
export const describe = <Code extends ProblemCode>(code: Code, detail: string) => ({
  type: `urn:todo:problem:${code}`,
  title: problemTypes[code].title,
  status: problemTypes[code].status,
  detail,
  code
})

const body = <Code extends ProblemCode, Members extends Schema.Struct.Fields>(code: Code, members: Members) =>
  Schema.Struct({
    type: Schema.String.annotateKey({ description: "The kind of problem, as a URI: `code` in another spelling" }),
    title: Schema.String.annotateKey({ description: "The kind of problem in words" }),
    status: Schema.Literal(problemTypes[code].status).annotateKey({ description: "The HTTP status" }),
    detail: Schema.String.annotateKey({ description: "What is wrong and what to do, for people" }),
    code: Schema.Literal(code).annotateKey({ description: "The kind of problem, for programs" }),
    requestId: Schema.optionalKey(Schema.String).annotateKey({
      description: "The id of the request, as `x-request-id` and the server's log have it"
    }),
    ...members
  })
    .annotate({ identifier: `Problem-${code}`, description: problemTypes[code].title })
    .pipe(HttpApiSchema.status(problemTypes[code].status), HttpApiSchema.asJson({ contentType: mediaType }))

/**
 * The problems that every endpoint may answer with. The middleware before the routes or a defect causes them, not a
 * handler, so endpoints document them and do not declare them.
 */
export const commonProblems = ["payload-too-large", "unsupported-media-type", "internal"] as const

/** The bodies of `commonProblems`, for the OpenAPI document. */
export const commonProblemBodies = commonProblems.map((code) => body(code, {}))

/** The codec between an error without data and its problem. */
const problem = <E extends { readonly message: string }, Code extends ProblemCode>(
  error: Schema.Codec<E, unknown> & (new (fields: {}) => E),
  code: Code
) => {
  const wire = body(code, {})
  return wire.pipe(
    Schema.decodeTo(
      Schema.toType(error),
      SchemaTransformation.transform<E, (typeof wire)["Type"]>({
        decode: () => new error({}),
        encode: ({ message }) => describe(code, message)
      })
    ),
    HttpApiSchema.status(problemTypes[code].status),
    HttpApiSchema.asJson({ contentType: mediaType })
  )
}

/** The request cannot be parsed: its URL, a header, or the JSON or UTF-8 of its body is malformed. Answered 400. */
export class MalformedRequest extends Schema.TaggedError<MalformedRequest>()("MalformedRequest", {
  /** The header that is wrong and what it must be, where it is a header. */
  header: Schema.optionalKey(Schema.String)
}) {
  override get message() {
    return this.header ?? details["malformed-request"]
  }
}

/** The request is not authenticated: its credentials are missing or not accepted. Answered 401. */
export class Unauthorized extends Schema.TaggedError<Unauthorized>()("Unauthorized", {
  reason: Schema.Literals(["missing", "invalid"])
}) {
  override get message() {
    return this.reason === "missing"
      ? "Sign in first, or send a token: Authorization: Bearer TOKEN"
      : "The token or session is not valid, or is over; get a new one"
  }
}

/** A user sent too many requests, or an address sent too many invalid tokens. Answered 429. */
export class RateLimited extends Schema.TaggedError<RateLimited>()("RateLimited", {
  /** The time until the next request is allowed, in seconds from now. */
  retryAfter: Schema.Int
}) {
  override readonly message = "Too many requests; wait for the seconds in Retry-After"
}

export const MalformedRequestProblem = problem(MalformedRequest, "malformed-request")
export const InvalidCursorProblem = problem(Domain.InvalidCursor, "invalid-cursor")
export const UserDisabledProblem = problem(Domain.UserDisabled, "user-disabled")
export const CursorExpiredProblem = problem(Domain.CursorExpired, "cursor-expired")
const IdempotencyKeyInUseProblem = problem(Domain.IdempotencyKeyInUse, "idempotency-key-in-use")
const IdempotencyKeyReusedProblem = problem(Domain.IdempotencyKeyReused, "idempotency-key-reused")
export const ListNotEmptyProblem = problem(Domain.ListNotEmpty, "list-not-empty")

/** In a batch, `errors` names the operation that failed. Other problems leave it out. */
const inBatch = {
  errors: Schema.optionalKey(Schema.Array(Domain.InputIssue)).annotateKey({
    description: "In a batch, the operation that failed"
  })
}

const toErrors = ({ index, message }: { readonly index?: number; readonly message: string }) =>
  index === undefined ? {} : { errors: [{ pointer: `/operations/${index}`, message }] }

const fromErrors = ({ errors }: { readonly errors?: ReadonlyArray<typeof Domain.InputIssue.Type> }) => {
  const index = errors?.[0]?.pointer.split("/").at(-1)
  return index === undefined ? {} : { index: Number(index) }
}

/** The codec between an error that may concern one operation of a batch and its problem. */
const operationProblem = <E extends { readonly message: string; readonly index?: number }, Code extends ProblemCode>(
  error: Schema.Codec<E, unknown> & (new (fields: { readonly index?: number }) => E),
  code: Code
) => {
  const wire = body(code, inBatch)
  return wire.pipe(
    Schema.decodeTo(
      Schema.toType(error),
      SchemaTransformation.transform<E, (typeof wire)["Type"]>({
        decode: (problem) => new error(fromErrors(problem)),
        encode: (error) => ({ ...describe(code, error.message), ...toErrors(error) })
      })
    ),
    HttpApiSchema.status(problemTypes[code].status),
    HttpApiSchema.asJson({ contentType: mediaType })
  )
}

export const TodoNotFoundProblem = operationProblem(Domain.TodoNotFound, "todo-not-found")
export const ListNotFoundProblem = operationProblem(Domain.ListNotFound, "list-not-found")

export const InvalidInputProblem = body("invalid-input", {
  errors: Schema.Array(Domain.InputIssue).annotateKey({ description: "All that is wrong, up to 20 places" })
}).pipe(
  Schema.decodeTo(
    Schema.toType(Domain.InvalidInput),
    SchemaTransformation.transform({
      decode: ({ errors }) => new Domain.InvalidInput({ errors }),
      encode: ({ errors, message }) => ({ ...describe("invalid-input", message), errors })
    })
  ),
  HttpApiSchema.status(422),
  HttpApiSchema.asJson({ contentType: mediaType })
)

/** A write that a hook of the host refuses is also a conflict. `refusal` is the code that the hook gave. */
export const ConflictProblem = body("conflict", {
  reason: Schema.Literals([...Domain.Conflict.fields.reason.literals, "refused"]).annotateKey({
    description: "The kind of conflict; `refused` if the host of the server does not allow the write"
  }),
  refusal: Schema.optionalKey(Schema.String).annotateKey({
    description: "With the reason `refused`: why, as a code of the host"
  }),
  ...inBatch
}).pipe(
  Schema.decodeTo(
    Schema.Union([Schema.toType(Domain.Conflict), Schema.toType(Domain.WriteRefused)]).annotate({
      identifier: "Conflict"
    }),
    SchemaTransformation.transform({
      decode: ({ detail, reason, refusal = "refused", ...problem }) =>
        reason === "refused"
          ? new Domain.WriteRefused({ code: refusal, message: detail, ...fromErrors(problem) })
          : new Domain.Conflict({ reason }),
      encode: (error) => ({
        ...describe("conflict", error.message),
        ...(error._tag === "Conflict"
          ? { reason: error.reason }
          : { reason: "refused" as const, refusal: error.code, ...toErrors(error) })
      })
    })
  ),
  HttpApiSchema.status(409),
  HttpApiSchema.asJson({ contentType: mediaType })
)

/** Has the challenge of RFC 6750, without `error` if the request sent no credentials. */
export const UnauthorizedProblem = Unauthorized.pipe(
  HttpApiSchema.encodeToWithHeaders(
    {
      body: body("unauthorized", {}),
      headers: {
        "www-authenticate": Schema.String.annotate({
          description: "What to authenticate with, and what was wrong (RFC 6750)"
        })
      }
    },
    {
      decode: ({ headers }) =>
        new Unauthorized({
          reason: headers["www-authenticate"]?.includes("error=") === false ? "missing" : "invalid"
        }),
      encode: ({ message, reason }) => ({
        body: describe("unauthorized", message),
        headers: {
          "www-authenticate": `Bearer realm="todo"${reason === "invalid" ? ', error="invalid_token"' : ""}`
        }
      })
    }
  )
)

/** Has the current entity tag, unless the row does not exist. */
const RevisionMismatchProblem = Domain.RevisionMismatch.pipe(
  HttpApiSchema.encodeToWithHeaders(
    { body: body("revision-mismatch", inBatch), headers: { etag: Schema.optionalKey(EntityTag) } },
    {
      decode: ({ body, headers }) =>
        new Domain.RevisionMismatch({
          current: headers.etag === undefined ? null : Number(headers.etag.slice(1, -1)),
          ...fromErrors(body)
        }),
      encode: (error) => ({
        body: { ...describe("revision-mismatch", error.message), ...toErrors(error) },
        headers: error.current === null ? {} : { etag: etag(error.current) }
      })
    }
  )
)

/** Has `Retry-After`: the seconds until the next request is allowed. */
export const RateLimitedProblem = RateLimited.pipe(
  HttpApiSchema.encodeToWithHeaders(
    {
      body: body("rate-limited", {}),
      headers: {
        "retry-after": Schema.String.annotate({ description: "Seconds to wait before the next try", examples: ["1"] })
      }
    },
    {
      decode: ({ headers }) => new RateLimited({ retryAfter: Number(headers["retry-after"] ?? 1) }),
      encode: ({ message, retryAfter }) => ({
        body: describe("rate-limited", message),
        headers: { "retry-after": String(retryAfter) }
      })
    }
  )
)

/** Has `Retry-After` in seconds. */
export const UnavailableProblem = Domain.Unavailable.pipe(
  HttpApiSchema.encodeToWithHeaders(
    {
      body: body("unavailable", {
        outcome: Schema.optionalKey(Domain.Unavailable.fields.outcome).annotateKey({
          description: "Whether a write that was sent is certain not to have happened"
        })
      }),
      headers: {
        "retry-after": Schema.String.annotate({ description: "Seconds to wait before the next try", examples: ["1"] })
      }
    },
    {
      decode: ({ body }) => new Domain.Unavailable({ outcome: body.outcome ?? "unknown" }),
      encode: ({ message, outcome }) => ({
        body: { ...describe("unavailable", message), outcome },
        headers: { "retry-after": "1" }
      })
    }
  )
)

/** The problems of every write. */
export const writeErrors = [RevisionMismatchProblem, ConflictProblem] as const

/** The additional problems of a write with an idempotency key. */
export const keyErrors = [IdempotencyKeyInUseProblem, IdempotencyKeyReusedProblem] as const
