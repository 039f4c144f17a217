/**
 * The codecs between errors and problem details (RFC 9457), and the errors that only HTTP has.
 *
 * `HttpApiError.Problem` of `effect` does not fit: it has no response headers, adds `instance` to the document, orders the
 * members otherwise, and answers with the problem even if it is a defect.
 */
import * as Domain from "@todo/core/domain"
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"
import { HttpApiSchema } from "effect/http-api"
import { EntityTag, etag } from "./Headers.ts"
import { describe, details, mediaType, type ProblemCode, problemTypes } from "./ProblemTypes.ts"

type Fields = Schema.Struct.Fields

/** Gives a schema the status and the media type of a problem. */
const asProblem =
  (code: ProblemCode) =>
  <S extends Schema.Top>(schema: S) =>
    schema.pipe(HttpApiSchema.status(problemTypes[code].status), HttpApiSchema.asJson({ contentType: mediaType }))

const body = <Code extends ProblemCode, Members extends Fields>(code: Code, members: Members) =>
  Schema.Struct({
    type: Schema.String.annotateKey({ description: "The kind of problem as a URI, which contains `code`" }),
    title: Schema.String.annotateKey({ description: "The kind of problem, for people" }),
    status: Schema.Literal(problemTypes[code].status).annotateKey({ description: "The HTTP status" }),
    detail: Schema.String.annotateKey({ description: "What is wrong and what to do, for people" }),
    code: Schema.Literal(code).annotateKey({ description: "The kind of problem, for programs" }),
    requestId: Schema.optionalKey(Schema.String).annotateKey({
      description: "The id of the request, as `x-request-id` and the server's log have it"
    }),
    ...members
  })
    .annotate({ identifier: `Problem-${code}`, description: problemTypes[code].title })
    .pipe(asProblem(code))

type Body<Code extends ProblemCode, Members extends Fields> = ReturnType<typeof body<Code, Members>>

/**
 * The problems that every endpoint may answer with. The middleware before the routes or a defect causes them, not a
 * handler, so endpoints document them and do not declare them.
 */
export const commonProblems = ["payload-too-large", "unsupported-media-type", "internal"] as const

/** The bodies of `commonProblems`, for the OpenAPI document. */
export const commonProblemBodies = commonProblems.map((code) => body(code, {}))

/** How an error is encoded: its data as members of the problem and as headers of the response. */
interface Encoding<E, Code extends ProblemCode, Members extends Fields, Headers extends Fields> {
  readonly error: Schema.Codec<E, unknown>
  readonly members?: Members
  readonly headers?: Headers
  readonly encode?: (error: E) => {
    readonly members?: Schema.Struct.Type<Members>
    readonly headers?: Schema.Struct.Type<Headers>
  }
  readonly decode: (problem: Body<Code, Members>["Type"], headers: Schema.Struct.Type<Headers>) => E
}

/** A response with headers of its own is encoded as a pair. */
type Encoded<Json, Headers extends Fields> = keyof Headers extends never
  ? Json
  : { readonly body: Json; readonly headers: Schema.Struct.Encoded<Headers> }

/** The codec between an error and the response with its problem. */
const problem = <
  E extends { readonly message: string },
  const Code extends ProblemCode,
  Members extends Fields = {},
  Headers extends Fields = {}
>(
  code: Code,
  { decode, encode, error, headers, members = {} as Members }: Encoding<E, Code, Members, Headers>
) => {
  const wire = body(code, members)
  const toBody = (error: E): (typeof wire)["Type"] =>
    Object.assign(describe(code, error.message), encode?.(error).members) as never
  const codec =
    headers === undefined
      ? wire.pipe(
          Schema.decodeTo(
            Schema.toType(error),
            SchemaTransformation.transform({ decode: (problem) => decode(problem, {} as never), encode: toBody })
          ),
          asProblem(code)
        )
      : error.pipe(
          HttpApiSchema.encodeToWithHeaders(
            { body: wire, headers },
            {
              decode: ({ body, headers }) => decode(body, headers),
              encode: (error) => ({ body: toBody(error), headers: encode?.(error).headers as never })
            }
          )
        )
  return codec as never as Schema.Codec<E, Encoded<Body<Code, Members>["Encoded"], Headers>>
}

/** The encoding of an error that has no data. */
const withoutData = <E>(error: Schema.Codec<E, unknown> & (new (data: {}) => E)) => ({
  error,
  decode: () => new error({})
})

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
      : "The token or session is invalid or has expired; get a new one"
  }
}

/** A user sent too many requests, or an address sent too many invalid tokens. Answered 429. */
export class RateLimited extends Schema.TaggedError<RateLimited>()("RateLimited", {
  /** The time until the next request is allowed, in seconds from now. */
  retryAfter: Schema.Int
}) {
  override readonly message = "Too many requests; wait for the seconds in Retry-After"
}

/** In a batch, `errors` names the operation that failed. Other problems leave it out. */
const operation = {
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

/** The encoding of an error whose only data is the operation of a batch. */
const inBatch = <E extends { readonly index?: number; readonly message: string }>(
  error: Schema.Codec<E, unknown> & (new (data: { readonly index?: number }) => E)
) => ({
  error,
  members: operation,
  encode: (error: E) => ({ members: toErrors(error) }),
  decode: (problem: Parameters<typeof fromErrors>[0]) => new error(fromErrors(problem))
})

const retryAfter = {
  "retry-after": Schema.String.annotate({ description: "Seconds to wait before the next try", examples: ["1"] })
}

export const MalformedRequestProblem = problem("malformed-request", withoutData(MalformedRequest))
export const InvalidCursorProblem = problem("invalid-cursor", withoutData(Domain.InvalidCursor))
export const UserDisabledProblem = problem("user-disabled", withoutData(Domain.UserDisabled))
export const TodoNotFoundProblem = problem("todo-not-found", inBatch(Domain.TodoNotFound))
export const ListNotFoundProblem = problem("list-not-found", inBatch(Domain.ListNotFound))
export const ListNotEmptyProblem = problem("list-not-empty", withoutData(Domain.ListNotEmpty))
const IdempotencyKeyInUseProblem = problem("idempotency-key-in-use", withoutData(Domain.IdempotencyKeyInUse))
export const CursorExpiredProblem = problem("cursor-expired", withoutData(Domain.CursorExpired))
const IdempotencyKeyReusedProblem = problem("idempotency-key-reused", withoutData(Domain.IdempotencyKeyReused))

/** Has the challenge of RFC 6750, without `error` if the request sent no credentials. */
export const UnauthorizedProblem = problem("unauthorized", {
  error: Unauthorized,
  headers: {
    "www-authenticate": Schema.String.annotate({
      description: "How to authenticate, and whether the token was invalid (RFC 6750)"
    })
  },
  encode: ({ reason }) => ({
    headers: { "www-authenticate": `Bearer realm="todo"${reason === "invalid" ? ', error="invalid_token"' : ""}` }
  }),
  decode: (_, headers) =>
    new Unauthorized({ reason: headers["www-authenticate"].includes("error=") ? "invalid" : "missing" })
})

/** A write that a hook of the host refuses is also a conflict. `refusal` is the code that the hook gave. */
export const ConflictProblem = problem("conflict", {
  error: Schema.Union([Domain.Conflict, Domain.WriteRefused]).annotate({ identifier: "Conflict" }),
  members: {
    reason: Schema.Literals([...Domain.Conflict.fields.reason.literals, "refused"]).annotateKey({
      description: "The kind of conflict; `refused` if a hook of the host refused the write"
    }),
    refusal: Schema.optionalKey(Schema.String).annotateKey({
      description: "If the reason is `refused`: the code that the host gives"
    }),
    ...operation
  },
  encode: (error) => ({
    members:
      error._tag === "Conflict"
        ? { reason: error.reason }
        : { reason: "refused" as const, refusal: error.code, ...toErrors(error) }
  }),
  decode: ({ detail, reason, refusal = "refused", ...problem }) =>
    reason === "refused"
      ? new Domain.WriteRefused({ code: refusal, message: detail, ...fromErrors(problem) })
      : new Domain.Conflict({ reason })
})

/** Has the current entity tag, unless the row does not exist. */
const RevisionMismatchProblem = problem("revision-mismatch", {
  error: Domain.RevisionMismatch,
  members: operation,
  headers: { etag: Schema.optionalKey(EntityTag) },
  encode: (error) => ({
    members: toErrors(error),
    headers: error.current === null ? {} : { etag: etag(error.current) }
  }),
  decode: (problem, headers) =>
    new Domain.RevisionMismatch({
      current: headers.etag === undefined ? null : Number(headers.etag.slice(1, -1)),
      ...fromErrors(problem)
    })
})

export const InvalidInputProblem = problem("invalid-input", {
  error: Domain.InvalidInput,
  members: {
    errors: Schema.Array(Domain.InputIssue).annotateKey({ description: "The errors of the input, at most 20" })
  },
  encode: ({ errors }) => ({ members: { errors } }),
  decode: ({ errors }) => new Domain.InvalidInput({ errors })
})

export const RateLimitedProblem = problem("rate-limited", {
  error: RateLimited,
  headers: retryAfter,
  encode: ({ retryAfter }) => ({ headers: { "retry-after": String(retryAfter) } }),
  decode: (_, headers) => new RateLimited({ retryAfter: Number(headers["retry-after"]) })
})

export const UnavailableProblem = problem("unavailable", {
  error: Domain.Unavailable,
  members: {
    outcome: Schema.optionalKey(Domain.Unavailable.fields.outcome).annotateKey({
      description: "`not-applied`: the write did not happen; `unknown`: it may have happened"
    })
  },
  headers: retryAfter,
  encode: ({ outcome }) => ({ members: { outcome }, headers: { "retry-after": "1" } }),
  decode: ({ outcome = "unknown" }) => new Domain.Unavailable({ outcome })
})

/** The problems of every write. */
export const writeErrors = [RevisionMismatchProblem, ConflictProblem] as const

/** The additional problems of a write with an idempotency key. */
export const keyErrors = [IdempotencyKeyInUseProblem, IdempotencyKeyReusedProblem] as const
