/**
 * Authenticates requests: by a bearer token (`layer`), or by the authentication of the host (`layerFrom`).
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
import { RequestInfo } from "../observability/RequestInfo.ts"
import { limited } from "../observability/RequestMetrics.ts"
import { TokenVerifier } from "./TokenVerifier.ts"

/** The limits of authenticated and unauthenticated callers. */
export interface AuthenticationSettings {
  /** The rate limit of requests for each user, and of invalid tokens for each client address. No limit by default. */
  readonly rateLimit?: RateLimit.RateLimitSettings | undefined
}

/** How long it is cached that a user is not disabled: a user who has just been disabled can still read for this time. */
const statusTtl = Duration.seconds(4)

/** Whether the header has the Bearer scheme. Any other scheme gets a challenge without an error code (RFC 6750, 3.1). */
const isBearer = (header = ""): boolean => /^bearer(\s|$)/i.test(header)

/**
 * Authenticates by bearer token, and provides `CurrentUser` to the handlers.
 *
 * Fails with `Unauthorized` (401) if the token is missing or not accepted, `UserDisabled` (403) if the operator has
 * disabled the user, `RateLimited` (429) above the rate limit, and `Unavailable` (503) if keys cannot be fetched.
 */
export const layer = (
  settings: AuthenticationSettings = {}
): Layer.Layer<Authorization, never, TokenVerifier | Accounts> =>
  Layer.effect(
    Authorization,
    Effect.gen(function* () {
      const verifier = yield* TokenVerifier
      const limitInvalid = settings.rateLimit === undefined ? undefined : limitAddresses(settings.rateLimit, verifier)
      const admit = yield* makeAdmission(settings)

      const verified = (token: string) => (token === "" ? withoutToken : verifier.verify(token))

      return Authorization.of({
        bearer: (handler, { credential }) => {
          const token = Redacted.value(credential)
          const known = limitInvalid === undefined ? verified(token) : limitInvalid(token, verified(token))
          return Effect.flatMap(known, ({ expires, user }) => admit(handler, user, expires))
        }
      })
    })
  )

const withoutToken = Effect.flatMap(HttpServerRequest.HttpServerRequest, ({ headers }) =>
  Effect.fail(new Unauthorized({ reason: isBearer(headers["authorization"]) ? "invalid" : "missing" }))
)

/**
 * The caller as the host has authenticated it: the id of the user, alone or with the time at which the session expires.
 * After that time, requests are answered 401 and event streams end. An invalid date counts as expired.
 */
export type Caller = string | { readonly userId: string; readonly expires?: Date | undefined }

const isUserId = Schema.is(UserId)

/**
 * Authenticates by the host's own means instead of tokens. `identify` is called once for each request. It reads the
 * headers, or the platform's own request as `request.source`. It must not read the body.
 *
 * `undefined` is answered 401. An id that is not 1-255 characters without control characters is answered 401 too, and a
 * warning is logged. `Unavailable` is answered 503. A defect is answered 500, and the response does not contain it.
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
      const admit = yield* makeAdmission(settings)

      return Authorization.of({
        bearer: Effect.fnUntraced(function* (handler) {
          const request = yield* HttpServerRequest.HttpServerRequest
          const caller = yield* Effect.provideContext(identify(request), services)
          if (caller === undefined) return yield* new Unauthorized({ reason: "missing" })
          const { expires, userId } = typeof caller === "string" ? { userId: caller, expires: undefined } : caller
          if (isUserId(userId)) {
            if (expires === undefined) return yield* admit(handler, { id: userId }, undefined)
            // The time of an invalid date is NaN, which counts as expired.
            const isOpen = expires.getTime() > (yield* Clock.currentTimeMillis)
            if (isOpen) return yield* admit(handler, { id: userId }, expires.getTime() / 1_000)
            return yield* new Unauthorized({ reason: "invalid" })
          }
          yield* Effect.logWarning(
            "authentication returned an id that is not valid: an id has 1-255 characters and no control characters"
          )
          return yield* new Unauthorized({ reason: "invalid" })
        })
      })
    })
  )

/** Makes the checks that follow authentication: the rate limit of the user, and whether the user is disabled. */
const makeAdmission = Effect.fnUntraced(function* ({ rateLimit }: AuthenticationSettings) {
  const accounts = yield* Accounts
  const limit = rateLimit === undefined ? undefined : limitUsers(rateLimit)
  const disabled = yield* Cache.makeWith(
    (id: UserId) => Effect.provideService(accounts.isDisabled, CurrentUser, { id }),
    { capacity: 10_000, timeToLive: (exit) => (Exit.isSuccess(exit) ? statusTtl : Duration.zero) }
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
 * Limits the invalid tokens of each client network. Valid tokens do not count, so clients behind one proxy do not limit
 * each other. Above the limit, tokens from that network are refused without verification, except those that were verified
 * before. Without a client address there is no limit, because all clients would share it.
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
    verifier.isCached(token) ? verified : watched(verified)
}

const limitUsers = (settings: RateLimit.RateLimitSettings) => {
  const users = RateLimit.make(settings)
  const policy = `"user";${users.policy}`
  /** Counts a request of the user. Returns the failure if the limit is exceeded, else `undefined`. */
  return (user: UserId, info: typeof RequestInfo.Service) => {
    const { allowed, remaining, reset, retryAfter } = users.take(user, performance.now())
    info.rateLimit = { "ratelimit-policy": policy, ratelimit: `"user";r=${remaining};t=${reset}` }
    return allowed ? undefined : refused("user", retryAfter)
  }
}
