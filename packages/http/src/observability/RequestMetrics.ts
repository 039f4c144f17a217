/**
 * The log line of each request, and the metrics of requests, refusals and streams. They contain no token, query string or
 * text of a user. The path is a template, and the user is a digest unless `TODO_LOG_USER=plain` is set.
 *
 * Two caches, of digests and of metrics with their attributes, take 6 µs off a request: 45 µs of CPU instead of 51 without
 * the second (`node packages/http/bench/request.ts`). To do without, make both anew in `digest` and `metricsOf`.
 */
import { createHash } from "node:crypto"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import type { RequestInfo } from "./RequestInfo.ts"
import { templateOf } from "../api/PathTemplates.ts"

const requests = Metric.counter("http_requests_total", {
  description: "Answered requests, by method, route and status",
  incremental: true
})

const seconds = Metric.histogram("http_request_duration_seconds", {
  description: "Time from a request to its response, by route",
  boundaries: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
})

/** The number of open event streams. */
export const streams = Metric.gauge("http_event_streams", { description: "Open event streams" })

/** The number of requests refused because too many were in flight (load shedding). */
export const shed = Metric.counter("http_requests_shed_total", {
  description: "Requests refused because too many were in flight",
  incremental: true
})

/** The number of requests refused by a rate limit. The attribute `scope` is `user` or `address`. */
export const limited = Metric.counter("http_requests_limited_total", {
  description: "Requests refused because of a rate limit, by scope",
  incremental: true
})

/** The number of checked token signatures. Refused ones have the `code` of the error of `jose`, which is one of a dozen. */
export const signatures = Metric.counter("token_signatures_checked_total", {
  description: "Checked signatures of tokens, by outcome and error code; a token in the cache needs no check",
  incremental: true
})

/** The number of tokens in the cache of verified tokens. */
export const cachedTokens = Metric.gauge("tokens_remembered", {
  description: "Verified tokens in the cache"
})

/** How log lines name users: by a stable digest of the id, or by the id. */
export type UserLabel = "hashed" | "plain"

/** A cache of digests. Computing one takes 2 µs. */
const digests = new Map<string, string>()
const digest = (user: string): string => {
  const known = digests.get(user)
  if (known !== undefined) return known
  if (digests.size >= 10_000) digests.clear()
  const made = createHash("sha256").update(user).digest("base64url").slice(0, 16)
  digests.set(user, made)
  return made
}

const labels: Record<UserLabel, (user: string) => string> = {
  hashed: digest,
  plain: (user) => user
}

/** A cache of the metrics for each method, route and status. */
const cached = new Map<string, readonly [typeof requests, typeof seconds]>()
const metricsOf = (method: string, route: string, status: number) => {
  const key = `${method} ${route} ${status}`
  const found = cached.get(key)
  if (found !== undefined) return found
  const made = [
    Metric.withAttributes(requests, { method, route, status: String(status) }),
    Metric.withAttributes(seconds, { route })
  ] as const
  cached.set(key, made)
  return made
}

const answered = Effect.logInfo("request")

/** Logs and counts a request. `started` is a time of `performance.now()`. */
export const observe = (
  request: HttpServerRequest.HttpServerRequest,
  status: number,
  started: number,
  info: typeof RequestInfo.Service,
  userLabel: UserLabel
): Effect.Effect<void> => {
  const route = templateOf(request.url)
  const elapsed = performance.now() - started
  const [count, time] = metricsOf(request.method, route, status)
  const line = Effect.annotateLogs(answered, {
    requestId: info.id,
    method: request.method,
    route,
    status,
    milliseconds: Math.round(elapsed * 100) / 100,
    ...(info.user !== undefined && { user: labels[userLabel](info.user) })
  })
  return Effect.withFiber(({ context }) => {
    count.updateUnsafe(1, context)
    time.updateUnsafe(elapsed / 1_000, context)
    return line
  })
}

/** Sets the metrics of refusals and streams to 0 at the start. Alerts need a series that exists before the first event. */
export const layerRefusals = Layer.effectDiscard(
  Effect.andThen(
    Metric.modify(streams, 0),
    Effect.forEach(
      [shed, ...["user", "address"].map((scope) => Metric.withAttributes(limited, { scope }))],
      (counter) => Metric.update(counter, 0)
    )
  )
)
