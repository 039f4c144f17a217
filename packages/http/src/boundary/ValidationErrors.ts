import { isUtf8 } from "node:buffer"
import { toInvalidInput } from "@todo/core/domain"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as HttpMethod from "effect/http/HttpMethod"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { HttpApiError } from "effect/http-api"
import { MalformedRequest } from "../api/Problem.ts"
import { Validation } from "../api/Validation.ts"

/** Where the parts of a request stand in the pointers of `invalid-input`. */
const roots: Record<string, string> = { Params: "/path", Query: "/query", Payload: "" }

/** A query with an escape that is none, or bytes that are no UTF-8, would be taken for another one. */
const isReadable = (query: string): boolean => {
  try {
    decodeURIComponent(query)
    return true
  } catch {
    return false
  }
}

/** What is not UTF-8 would be read with U+FFFD in it, and a body stored so. */
const readable = Effect.gen(function* () {
  const request = yield* HttpServerRequest.HttpServerRequest
  if (request.url.includes("%") && !isReadable(request.url)) return yield* new MalformedRequest({})
  if (!HttpMethod.hasBody(request.method)) return
  if (!isUtf8(yield* Effect.orDie(request.arrayBuffer))) return yield* new MalformedRequest({})
})

/** Where the contract has no parameters, each is one too many. */
const noParameters = Schema.decodeUnknownEffect(Schema.Record(Schema.String, Schema.Never), { errors: "all" })

const refuseParameters = Effect.flatMap(HttpServerRequest.ParsedSearchParams, (parameters) =>
  Effect.mapError(noParameters(parameters), ({ issue }) => toInvalidInput(issue, roots["Query"]))
)

const explain = Effect.fnUntraced(function* (error: HttpApiError.HttpApiSchemaError) {
  const { issue } = error.cause
  const root = roots[error.kind]
  switch (error.kind) {
    // Our own answer does not fit our own contract: a defect, and not the client's business.
    case "Body":
    case "ResponseHeaders":
      return yield* Effect.fail(error as never)
    case "Headers":
      return yield* new MalformedRequest({})
    case "Params": {
      const { params } = yield* HttpRouter.RouteContext
      // The router takes an empty segment for a parameter.
      if (Object.values(params).includes("")) return HttpServerResponse.empty({ status: 404 })
      break
    }
    case "Payload": {
      const request = yield* HttpServerRequest.HttpServerRequest
      const isJson = issue._tag !== "InvalidValue" && (yield* Effect.orDie(request.text)) !== ""
      if (!isJson) return yield* new MalformedRequest({})
    }
  }
  return yield* toInvalidInput(issue, root)
})

/** Tells a request that cannot be read (400) from one that breaks a rule (422). */
export const layer: Layer.Layer<Validation> = Layer.succeed(Validation, (handler, { endpoint }) =>
  readable.pipe(
    Effect.andThen(endpoint.query === undefined ? refuseParameters : Effect.void),
    Effect.andThen(handler),
    Effect.catch((error: unknown) =>
      HttpApiError.HttpApiSchemaError.is(error) ? explain(error) : Effect.fail(error as never)
    )
  )
)
