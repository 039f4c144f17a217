import { CurrentUser } from "@todo/core/domain"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import { Authorization } from "./api/Authorization.ts"
import { Unauthorized } from "./api/Problem.ts"
import { TokenExpiry } from "./EventStream.ts"
import { TokenVerifier } from "./TokenVerifier.ts"

/** Gives every handler its `CurrentUser`, from the bearer token. */
export const layer: Layer.Layer<Authorization, never, TokenVerifier> = Layer.effect(
  Authorization,
  Effect.gen(function* () {
    const verifier = yield* TokenVerifier
    return Authorization.of({
      bearer: Effect.fnUntraced(function* (handler, { credential }) {
        const token = Redacted.value(credential)
        if (token === "") {
          const { headers } = yield* HttpServerRequest.HttpServerRequest
          return yield* new Unauthorized({ reason: headers["authorization"] === undefined ? "missing" : "invalid" })
        }
        const { expires, user } = yield* verifier.verify(token)
        return yield* handler.pipe(
          Effect.provideService(CurrentUser, user),
          Effect.provideService(TokenExpiry, expires)
        )
      })
    })
  })
)
