/**
 * Every error of the API: its code, its status and how it travels, as problem details
 * (RFC 9457). This is the one table from errors to statuses.
 */
import * as Domain from "@todo/core/domain"
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"
import { HttpApiSchema } from "effect/http-api"
import { EntityTag, etag } from "./Headers.ts"

export const mediaType = "application/problem+json"

/** Status and title of each code. */
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

/** What went wrong, as programs tell it apart. */
export type ProblemCode = keyof typeof problemTypes

/** The members that a problem of this code has whatever happened; `requestId` is added as the answer leaves. */
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
 * What any request may be answered, whatever its endpoint: by what stands before the
 * routes, or when something breaks. No handler fails with these, so they are documented, not declared.
 */
export const commonProblems = ["payload-too-large", "unsupported-media-type", "internal"] as const

/** Their bodies, for the OpenAPI document. */
export const commonProblemBodies = commonProblems.map((code) => body(code, {}))

/** An error without data, as a problem. */
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

/** The request is not HTTP or JSON as it should be. */
export class MalformedRequest extends Schema.TaggedError<MalformedRequest>()("MalformedRequest", {}) {
  override readonly message = "The request cannot be read: malformed JSON, or a malformed header"
}

/** Nobody in particular calls: the token, or what the host knows callers by, is missing or not one that is accepted. */
export class Unauthorized extends Schema.TaggedError<Unauthorized>()("Unauthorized", {
  reason: Schema.Literals(["missing", "invalid"])
}) {
  override get message() {
    return this.reason === "missing" ? "The request says nothing of who sends it" : "The credentials are not valid"
  }
}

/** More requests than one user may make, or more bad tokens than one address may send. */
export class RateLimited extends Schema.TaggedError<RateLimited>()("RateLimited", {
  /** When to try again, in seconds from now. */
  retryAfter: Schema.Int
}) {
  override readonly message = "Too many requests; wait before the next one"
}

export const MalformedRequestProblem = problem(MalformedRequest, "malformed-request")
export const InvalidCursorProblem = problem(Domain.InvalidCursor, "invalid-cursor")
export const UserDisabledProblem = problem(Domain.UserDisabled, "user-disabled")
export const CursorExpiredProblem = problem(Domain.CursorExpired, "cursor-expired")
const IdempotencyKeyInUseProblem = problem(Domain.IdempotencyKeyInUse, "idempotency-key-in-use")
const IdempotencyKeyReusedProblem = problem(Domain.IdempotencyKeyReused, "idempotency-key-reused")
export const ListNotEmptyProblem = problem(Domain.ListNotEmpty, "list-not-empty")

/** Which operation of a batch failed, as `errors`; nothing outside of batches. */
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

/** An error that can happen to one operation of a batch, as a problem. */
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

/** A write that the host's hooks refuse is one more conflict, with the host's own code for why as `refusal`. */
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

/** With the challenge of RFC 6750: no `error` where nothing was sent. */
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

/** With the current entity tag, where there is a row. */
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

/** With the seconds after which there is one more to spend, and the policy as every answer has it. */
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

/** With the seconds after which to try again. */
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

/** How every write can fail. */
export const writeErrors = [RevisionMismatchProblem, ConflictProblem] as const

/** How a write under an idempotency key can fail besides. */
export const keyErrors = [IdempotencyKeyInUseProblem, IdempotencyKeyReusedProblem] as const
