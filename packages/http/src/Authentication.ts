import { Accounts, CurrentUser, UserDisabled, type UserId } from "@todo/core"
import * as Cache from "effect/Cache"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import { Authorization } from "./api/Authorization.ts"
import { Unauthorized } from "./api/Problem.ts"
import { TokenExpiry } from "./EventStream.ts"
import { RequestInfo } from "./RequestInfo.ts"
import { TokenVerifier } from "./TokenVerifier.ts"

/** How long a user who was disabled may still read. */
const disabledAfter = Duration.seconds(4)

/** Gives every handler its `CurrentUser`, from the bearer token, unless the operator has disabled that user. */
export const layer: Layer.Layer<Authorization, never, TokenVerifier | Accounts> = Layer.effect(
  Authorization,
  Effect.gen(function* () {
    const accounts = yield* Accounts
    const verifier = yield* TokenVerifier
    const disabled = yield* Cache.makeWith(
      (id: UserId) => Effect.provideService(accounts.isDisabled, CurrentUser, { id }),
      { capacity: 10_000, timeToLive: (exit) => (Exit.isSuccess(exit) ? disabledAfter : Duration.zero) }
    )

    return Authorization.of({
      bearer: Effect.fnUntraced(function* (handler, { credential }) {
        const token = Redacted.value(credential)
        if (token === "") {
          const { headers } = yield* HttpServerRequest.HttpServerRequest
          return yield* new Unauthorized({ reason: headers["authorization"] === undefined ? "missing" : "invalid" })
        }
        const { expires, user } = yield* verifier.verify(token)
        ;(yield* RequestInfo).user = user.id
        if (yield* Cache.get(disabled, user.id)) return yield* new UserDisabled({})
        return yield* handler.pipe(
          Effect.provideService(CurrentUser, user),
          Effect.provideService(TokenExpiry, expires)
        )
      })
    })
  })
)
