import { toInvalidInput } from "@todo/core/domain"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import { HttpApiMiddleware } from "effect/http-api"
import { MalformedRequest } from "./api/Problem.ts"
import { Validation } from "./api/Validation.ts"

/** Where the parts of a request stand in the pointers of `invalid-input`. */
const roots: Record<string, string> = { Params: "/path", Query: "/query", Payload: "" }

/** Tells a request that cannot be read (400) from one that breaks a rule (422). */
export const layer: Layer.Layer<Validation> = HttpApiMiddleware.layerSchemaErrorTransform(
  Validation,
  Effect.fnUntraced(function* (error) {
    const root = roots[error.kind]
    switch (error.kind) {
      // Our own answer does not fit our own contract: a defect, and not the client's business.
      case "Body":
      case "ResponseHeaders":
        return yield* Effect.fail(error)
      case "Headers":
        return yield* new MalformedRequest()
      case "Payload": {
        const request = yield* HttpServerRequest.HttpServerRequest
        const isJson = error.cause.issue._tag !== "InvalidValue" && (yield* Effect.orDie(request.text)) !== ""
        if (!isJson) return yield* new MalformedRequest()
      }
    }
    return yield* toInvalidInput(error.cause.issue, root)
  })
)
