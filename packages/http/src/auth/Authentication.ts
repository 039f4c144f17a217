/**
 * Who calls: by a bearer token, or by the host's own word.
 */
import { Accounts, CurrentUser, type Unavailable, UserDisabled, UserId } from "@todo/core"
import * as Cache from "effect/Cache"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import { Authorization } from "../api/Authorization.ts"
import { RateLimited, Unauthorized } from "../api/Problem.ts"
import * as RateLimit from "../boundary/RateLimit.ts"
import { RequestInfo } from "../boundary/RequestInfo.ts"
import { limited } from "../observability/RequestMetrics.ts"
import { TokenVerifier } from "./TokenVerifier.ts"

/** How much those who call may ask for. */
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
export const layer = (
  settings: AuthenticationSettings = {}
): Layer.Layer<Authorization, never, TokenVerifier | Accounts> =>
  Layer.effect(
    Authorization,
    Effect.gen(function* () {
      const verifier = yield* TokenVerifier
      const addresses = settings.rateLimit === undefined ? undefined : limitAddresses(settings.rateLimit, verifier)
      const enter = yield* makeEnter(settings)

      const verified = (token: string) => (token === "" ? withoutToken : verifier.verify(token))

      return Authorization.of({
        bearer: (handler, { credential }) => {
          const token = Redacted.value(credential)
          const known = addresses === undefined ? verified(token) : addresses(token, verified(token))
          return Effect.flatMap(known, ({ expires, user }) => enter(handler, user, expires))
        }
      })
    })
  )

const withoutToken = Effect.flatMap(HttpServerRequest.HttpServerRequest, ({ headers }) =>
  Effect.fail(new Unauthorized({ reason: isBearer(headers["authorization"]) ? "invalid" : "missing" }))
)

/** Whom a host says that calls: a user's id, and where its session has an end, that end: what comes later is answered 401, and event streams end. */
export type Caller = string | { readonly userId: string; readonly expires?: Date | undefined }

const isUserId = Schema.is(UserId)

/**
 * The same from the host's own authentication, in place of tokens: `identify` is asked once a
 * request, and sees its headers (`request.source` is what the platform made of it). It must not
 * read the body.
 *
 * `undefined` is answered 401, and so is an id that can be no user's: 1-255 characters, no
 * control characters. `Unavailable` is answered 503; a defect 500, without a word of it.
 *
 * @example
 * Authentication.layerFrom((request) => Effect.map(sessions.find(request.cookies["session"]), (found) => found?.userId))
 */
export const layerFrom = <R = never>(
  identify: (
    request: HttpServerRequest.HttpServerRequest
  ) => Effect.Effect<Caller | undefined, Unauthorized | Unavailable, R>,
  settings: AuthenticationSettings = {}
): Layer.Layer<Authorization, never, R | Accounts> =>
  Layer.effect(
    Authorization,
    Effect.gen(function* () {
      const services = yield* Effect.context<R>()
      const enter = yield* makeEnter(settings)

      return Authorization.of({
        bearer: Effect.fnUntraced(function* (handler) {
          const request = yield* HttpServerRequest.HttpServerRequest
          const caller = yield* Effect.provideContext(identify(request), services)
          if (caller === undefined) return yield* new Unauthorized({ reason: "missing" })
          const { expires, userId } = typeof caller === "string" ? { userId: caller, expires: undefined } : caller
          if (isUserId(userId)) {
            if (expires === undefined) return yield* enter(handler, { id: userId }, undefined)
            // An end that is no time is over, too.
            const isOpen = expires.getTime() > (yield* Clock.currentTimeMillis)
            if (isOpen) return yield* enter(handler, { id: userId }, expires.getTime() / 1_000)
            return yield* new Unauthorized({ reason: "invalid" })
          }
          yield* Effect.logWarning("authentication gave an id that can be no user's: see UserId in @todo/core/domain")
          return yield* new Unauthorized({ reason: "invalid" })
        })
      })
    })
  )

/** What a known caller still has to pass: the rate limit, and the operator's word. */
const makeEnter = Effect.fnUntraced(function* ({ rateLimit }: AuthenticationSettings) {
  const accounts = yield* Accounts
  const limit = rateLimit === undefined ? undefined : limitUsers(rateLimit)
  const disabled = yield* Cache.makeWith(
    (id: UserId) => Effect.provideService(accounts.isDisabled, CurrentUser, { id }),
    { capacity: 10_000, timeToLive: (exit) => (Exit.isSuccess(exit) ? disabledAfter : Duration.zero) }
  )

  return <A, E, R>(handler: Effect.Effect<A, E, R>, user: typeof CurrentUser.Service, expires: number | undefined) =>
    Effect.withFiber<A, E | RateLimited | UserDisabled | Unavailable, Exclude<R, CurrentUser>>((fiber) => {
      const info = fiber.getRef(RequestInfo)
      info.user = user.id
      info.expires = expires
      return (
        limit?.(user.id, info) ??
        Effect.flatMap(
          Cache.get(disabled, user.id),
          (isDisabled): Effect.Effect<A, E | UserDisabled, Exclude<R, CurrentUser>> =>
            isDisabled ? Effect.fail(new UserDisabled({})) : Effect.provideService(handler, CurrentUser, user)
        )
      )
    })
})

const refused = (scope: "user" | "address", retryAfter: number) =>
  Effect.andThen(Metric.update(Metric.withAttributes(limited, { scope }), 1), new RateLimited({ retryAfter }))

/**
 * An address pays for bad tokens only, so that those behind one proxy do not pay for each
 * other; once it has spent its own, tokens from there that are not known to be good are not
 * looked at any more. Where no address is known, none pays: all would pay for each other.
 */
const limitAddresses = (settings: RateLimit.RateLimitSettings, verifier: typeof TokenVerifier.Service) => {
  const addresses = RateLimit.make(settings)
  const watched = Effect.fnUntraced(function* <A, E, R>(verified: Effect.Effect<A, E | Unauthorized, R>) {
    const { remoteAddress } = yield* HttpServerRequest.HttpServerRequest
    if (Option.isNone(remoteAddress)) return yield* verified
    const network = RateLimit.networkOf(remoteAddress.value)
    const { allowed, retryAfter } = addresses.look(network, performance.now())
    if (!allowed) return yield* refused("address", retryAfter)
    return yield* Effect.tapError(verified, (error) =>
      Effect.sync(() => error instanceof Unauthorized && addresses.take(network, performance.now()))
    )
  })
  return <A, E, R>(token: string, verified: Effect.Effect<A, E | Unauthorized, R>) =>
    verifier.remembers(token) ? verified : watched(verified)
}

const limitUsers = (settings: RateLimit.RateLimitSettings) => {
  const users = RateLimit.make(settings)
  const policy = `"user";${users.policy}`
  /** Spends one of the user's requests; how it is refused where there is none. */
  return (user: UserId, info: typeof RequestInfo.Service) => {
    const { allowed, remaining, reset, retryAfter } = users.take(user, performance.now())
    info.rateLimit = { "ratelimit-policy": policy, ratelimit: `"user";r=${remaining};t=${reset}` }
    return allowed ? undefined : refused("user", retryAfter)
  }
}
