import { Accounts, CurrentUser, UserDisabled, type UserId } from "@todo/core"
import * as Cache from "effect/Cache"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import { Authorization } from "./api/Authorization.ts"
import { RateLimited, Unauthorized } from "./api/Problem.ts"
import { TokenExpiry } from "./EventStream.ts"
import * as RateLimit from "./RateLimit.ts"
import { RequestInfo } from "./RequestInfo.ts"
import { limited } from "./Telemetry.ts"
import { TokenVerifier } from "./TokenVerifier.ts"

export interface AuthenticationSettings {
  /** How many requests each user may make, and how many bad tokens an address may send; as many as they like where it is absent. */
  readonly rateLimit?: RateLimit.RateLimitSettings | undefined
}

/** How long a user who was disabled may still read. */
const disabledAfter = Duration.seconds(4)

/** Whether it has the scheme at all. Who knows another one only is told of ours, without an error (RFC 6750, 3.1). */
const isBearer = (header = ""): boolean => /^bearer(\s|$)/i.test(header)

/**
 * Gives every handler its `CurrentUser`, from the bearer token, unless the operator has
 * disabled that user or the user has spent the rate limit.
 */
export const layer = (settings: AuthenticationSettings): Layer.Layer<Authorization, never, TokenVerifier | Accounts> =>
  Layer.effect(
    Authorization,
    Effect.gen(function* () {
      const accounts = yield* Accounts
      const verifier = yield* TokenVerifier
      const admitted = settings.rateLimit === undefined ? undefined : admission(settings.rateLimit, verifier)
      const disabled = yield* Cache.makeWith(
        (id: UserId) => Effect.provideService(accounts.isDisabled, CurrentUser, { id }),
        { capacity: 10_000, timeToLive: (exit) => (Exit.isSuccess(exit) ? disabledAfter : Duration.zero) }
      )

      const verified = Effect.fnUntraced(function* (token: string) {
        if (token !== "") return yield* verifier.verify(token)
        const { headers } = yield* HttpServerRequest.HttpServerRequest
        return yield* new Unauthorized({ reason: isBearer(headers["authorization"]) ? "invalid" : "missing" })
      })

      return Authorization.of({
        bearer: Effect.fnUntraced(function* (handler, { credential }) {
          const token = Redacted.value(credential)
          const { expires, user } = yield* admitted === undefined
            ? verified(token)
            : admitted.address(token, verified(token))
          ;(yield* RequestInfo).user = user.id
          if (admitted !== undefined) yield* admitted.user(user.id)
          if (yield* Cache.get(disabled, user.id)) return yield* new UserDisabled({})
          return yield* handler.pipe(
            Effect.provideService(CurrentUser, user),
            Effect.provideService(TokenExpiry, expires)
          )
        })
      })
    })
  )

const refused = (scope: "user" | "address", retryAfter: number) =>
  Effect.andThen(Metric.update(Metric.withAttributes(limited, { scope }), 1), new RateLimited({ retryAfter }))

/**
 * Whom the rate limit lets through. An address pays for bad tokens only, so that those
 * behind one proxy do not pay for each other; once it has spent its own, tokens from
 * there that are not known to be good are not looked at any more.
 */
const admission = (settings: RateLimit.RateLimitSettings, verifier: typeof TokenVerifier.Service) => {
  const users = RateLimit.make(settings)
  const addresses = RateLimit.make(settings)
  const policy = `"user";${users.policy}`

  return {
    address: Effect.fnUntraced(function* <A, E, R>(token: string, verified: Effect.Effect<A, E | Unauthorized, R>) {
      if (verifier.remembers(token)) return yield* verified
      const { remoteAddress } = yield* HttpServerRequest.HttpServerRequest
      const network = RateLimit.networkOf(Option.getOrElse(remoteAddress, () => "unknown"))
      const { allowed, retryAfter } = addresses.look(network, performance.now())
      if (!allowed) return yield* refused("address", retryAfter)
      return yield* Effect.tapError(verified, (error) =>
        Effect.sync(() => error instanceof Unauthorized && addresses.take(network, performance.now()))
      )
    }),
    user: Effect.fnUntraced(function* (user: UserId) {
      const { allowed, remaining, reset, retryAfter } = users.take(user, performance.now())
      ;(yield* RequestInfo).rateLimit = { "ratelimit-policy": policy, ratelimit: `"user";r=${remaining};t=${reset}` }
      if (!allowed) return yield* refused("user", retryAfter)
    })
  }
}
