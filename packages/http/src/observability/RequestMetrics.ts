/**
 * What is seen of each request: one line in the log, one step of the metrics. Neither
 * holds a token, a query string or a text of a user; the path is a template, and the user a
 * digest unless the operator wants the id.
 */
import { createHash } from "node:crypto"
import { monitorEventLoopDelay } from "node:perf_hooks"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { PrometheusMetrics } from "effect/observability"
import * as HostHeader from "../boundary/HostHeader.ts"
import { ownUrl } from "../boundary/Prefix.ts"
import { strangeHost } from "../boundary/ProblemResponse.ts"
import type { RequestInfo } from "../boundary/RequestInfo.ts"
import { templateOf } from "../api/PathTemplates.ts"

const requests = Metric.counter("http_requests_total", {
  description: "Requests answered, by method, route and status",
  incremental: true
})

const seconds = Metric.histogram("http_request_duration_seconds", {
  description: "Time from request to answer, by route",
  boundaries: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
})

/** Live event streams that are open. */
export const streams = Metric.gauge("http_event_streams", { description: "Open event streams" })

/** Requests that were turned away because too many were in flight. */
export const shed = Metric.counter("http_requests_shed_total", {
  description: "Requests refused because too many were in flight",
  incremental: true
})

/** Requests that were refused because of a rate limit, by whose. */
export const limited = Metric.counter("http_requests_limited_total", {
  description: "Requests refused because of a rate limit, by scope",
  incremental: true
})

/** Signatures that were checked; the other tokens were remembered. */
export const signatures = Metric.counter("token_signatures_checked_total", {
  description: "Token signatures checked, by outcome; the tokens of other requests were remembered",
  incremental: true
})

/** Tokens that are remembered as good. */
export const tokensRemembered = Metric.gauge("tokens_remembered", {
  description: "Verified tokens that are remembered"
})

const loopDelay = Metric.gauge("nodejs_eventloop_lag_p99_seconds", {
  description: "99th percentile of the event loop's delay since the last look"
})

/** How log lines name users: by a digest that is the same for the same user, or by their ids. */
export type UserLabel = "hashed" | "plain"

/** A digest takes 2 µs, so those of the last users are kept. */
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

/** The metrics of a route and status, made once. */
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

/** Writes the line and counts the request. */
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

/** `GET /metrics`, in Prometheus' text format. */
export const layerMetricsRoute = PrometheusMetrics.layerHttp({ path: "/metrics" })

/** The same as an app of its own, which has no other path; `publicPath` may be in front of it. */
export const metricsAlone = (publicPath: string) =>
  Effect.gen(function* () {
    const { headers, url } = yield* HttpServerRequest.HttpServerRequest
    if (!HostHeader.isAcceptable(headers)) return strangeHost
    return ownUrl(publicPath, url) === "/metrics"
      ? HttpServerResponse.text(yield* PrometheusMetrics.format(), {
          contentType: "text/plain; version=0.0.4; charset=utf-8"
        })
      : HttpServerResponse.empty({ status: 404 })
  })

/** The counters of refusals and the streams are there from the start: nobody can be alerted by what is not there yet. */
export const layerRefusals = Layer.effectDiscard(
  Effect.andThen(
    Metric.modify(streams, 0),
    Effect.forEach(
      [shed, ...["user", "address"].map((scope) => Metric.withAttributes(limited, { scope }))],
      (counter) => Metric.update(counter, 0)
    )
  )
)

/** Watches how late the event loop is, which is how busy the process is. */
export const layerEventLoop = Layer.effectDiscard(
  Effect.gen(function* () {
    const histogram = yield* Effect.acquireRelease(
      Effect.sync(() => {
        const histogram = monitorEventLoopDelay({ resolution: 20 })
        histogram.enable()
        return histogram
      }),
      (histogram) => Effect.sync(() => histogram.disable())
    )
    yield* Effect.sleep("5 seconds").pipe(
      Effect.andThen(Effect.suspend(() => Metric.update(loopDelay, histogram.percentile(99) / 1e9))),
      Effect.andThen(Effect.sync(() => histogram.reset())),
      Effect.forever,
      Effect.forkScoped
    )
  })
)
