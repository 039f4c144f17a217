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

/** The beginning of the pointers in `invalid-input`, by the part of the request. */
const roots: Record<string, string> = { Params: "/path", Query: "/query", Payload: "" }

/** The parser would change the meaning of a query with an invalid escape or with bytes that are not UTF-8. */
const isReadable = (query: string): boolean => {
  try {
    decodeURIComponent(query)
    return true
  } catch {
    return false
  }
}

/** Refuses bytes that are not UTF-8. They would be decoded to U+FFFD, and the body stored with it. */
const readable = Effect.gen(function* () {
  const request = yield* HttpServerRequest.HttpServerRequest
  if (request.url.includes("%") && !isReadable(request.url)) return yield* new MalformedRequest({})
  if (!HttpMethod.hasBody(request.method)) return
  if (!isUtf8(yield* Effect.orDie(request.arrayBuffer))) return yield* new MalformedRequest({})
})

/** If an endpoint declares no query, every parameter is unknown. */
const noParameters = Schema.decodeUnknownEffect(Schema.Record(Schema.String, Schema.Never), { errors: "all" })

const refuseParameters = Effect.flatMap(HttpServerRequest.ParsedSearchParams, (parameters) =>
  Effect.mapError(noParameters(parameters), ({ issue }) => toInvalidInput(issue, roots["Query"]))
)

const explain = Effect.fnUntraced(function* (error: HttpApiError.HttpApiSchemaError) {
  const { issue } = error.cause
  const root = roots[error.kind]
  switch (error.kind) {
    // The response breaks the contract. That is a defect of the server, answered 500.
    case "Body":
    case "ResponseHeaders":
      return yield* Effect.fail(error as never)
    case "Headers":
      return yield* new MalformedRequest({ header: toInvalidInput(issue).message })
    case "Params": {
      const { params } = yield* HttpRouter.RouteContext
      // The router matches an empty path segment with a parameter.
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

/** Answers a request that cannot be parsed with 400, and one with invalid input with 422. */
export const layer: Layer.Layer<Validation> = Layer.succeed(Validation, (handler, { endpoint }) =>
  readable.pipe(
    Effect.andThen(endpoint.query === undefined ? refuseParameters : Effect.void),
    Effect.andThen(handler),
    Effect.catch((error: unknown) =>
      HttpApiError.HttpApiSchemaError.is(error) ? explain(error) : Effect.fail(error as never)
    )
  )
)
