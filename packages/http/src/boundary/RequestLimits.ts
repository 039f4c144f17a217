/**
 * What every request passes, whatever its route: its id, its limits, and what is seen of
 * it; and the headers of its answer.
 */
import { randomUUID } from "node:crypto"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as HttpEffect from "effect/http/HttpEffect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Deadline from "./Deadline.ts"
import * as Host from "./HostHeader.ts"
import { Lifecycle } from "../serve/Lifecycle.ts"
import { notAllowed } from "./MethodNotAllowed.ts"
import { outOfTime, outOfTimeWriting, overloaded, strangeHost, toProblem } from "./ProblemResponse.ts"
import { RequestInfo } from "./RequestInfo.ts"
import * as Telemetry from "../observability/RequestMetrics.ts"

export interface EdgeSettings {
  /** Longest time to an answer. */
  readonly requestTimeout: Duration.Duration
  /** Largest body, in bytes. */
  readonly bodyLimit: number
  /** How log lines name users, by a digest where it is absent. */
  readonly userLabel?: Telemetry.UserLabel | undefined
}

/**
 * How many requests may be on their way through at once. What comes on top is turned away
 * at once, so that those inside still end in time; health checks always pass.
 */
const maxInFlight = 1_000

/** An id that a proxy in front gave, where it can be repeated safely. */
const wellFormedId = /^[\w.:-]{1,128}$/

const isHealthCheck = (url: string): boolean => url.startsWith("/livez") || url.startsWith("/readyz")

const tooLarge = HttpServerResponse.empty({ status: 413, headers: { connection: "close" } })
const unsupported = HttpServerResponse.empty({ status: 415 })
const nowhere = HttpServerResponse.empty({ status: 404 })

/** JSON is UTF-8 (RFC 8259, 8.1); in another charset it would be read as what it is not. */
const isForeignCharset = (contentType: string | undefined): boolean =>
  contentType !== undefined && /;\s*charset\s*=(?!\s*"?utf-?8"?\s*(;|$))/i.test(contentType)

const canWrite = ({ method }: HttpServerRequest.HttpServerRequest): boolean => method !== "GET" && method !== "HEAD"

/** The router takes what follows a semicolon for a query; paths of ours have none. */
const hasSemicolon = (url: string): boolean => url.split("?", 1)[0]?.includes(";") === true

export const layer = (settings: EdgeSettings) =>
  HttpRouter.middleware(
    Effect.gen(function* () {
      const lifecycle = yield* Lifecycle
      let inFlight = 0

      /** An answer without a look at the request's body, where its headers are enough. */
      const refusal = ({ headers, url }: HttpServerRequest.HttpServerRequest) => {
        if (inFlight > maxInFlight && !isHealthCheck(url))
          return Effect.as(Metric.update(Telemetry.shed, 1), overloaded)
        if (Number(headers["content-length"] ?? 0) > settings.bodyLimit) return Effect.succeed(tooLarge)
        if (!Host.isAcceptable(headers)) return Effect.succeed(strangeHost)
        if (hasSemicolon(url)) return Effect.succeed(nowhere)
        const encoding = headers["content-encoding"]?.toLowerCase()
        const isReadable = encoding === undefined || encoding === "identity"
        return isReadable && !isForeignCharset(headers["content-type"]) ? undefined : Effect.succeed(unsupported)
      }

      return (app) =>
        Effect.withFiber((fiber) => {
          const request = Context.getUnsafe(fiber.context, HttpServerRequest.HttpServerRequest)
          const given = request.headers["x-request-id"]
          const info: typeof RequestInfo.Service = {
            id: given !== undefined && wellFormedId.test(given) ? given : randomUUID(),
            user: undefined,
            expires: undefined,
            rateLimit: undefined
          }
          const started = performance.now()
          inFlight++

          const late = canWrite(request) ? outOfTimeWriting : outOfTime
          /** What an empty answer stands for: of the router, or of the server where it ends and the request does not. */
          const meant = (response: HttpServerResponse.HttpServerResponse) => {
            if (response.body._tag !== "Empty") return response
            if (response.status === 404) return notAllowed(request) ?? response
            return response.status === 503 ? late : response
          }

          const leaving = (_: unknown, response: HttpServerResponse.HttpServerResponse) => {
            const known = meant(response)
            const unread = known.status === 499
            const answer = known.status < 400 || unread ? known : toProblem(known, info.id)
            return Effect.as(
              Telemetry.observe(request, answer.status, started, info, settings.userLabel ?? "hashed"),
              HttpServerResponse.setHeaders(answer, {
                "cache-control": answer.headers["cache-control"] ?? "no-store",
                "x-content-type-options": "nosniff",
                "x-request-id": info.id,
                ...info.rateLimit,
                // Behind a body that was not read to its end, there is no next request.
                ...((lifecycle.draining() || answer.status === 413) && { connection: "close" })
              })
            )
          }

          const handled =
            // Requests are uninterruptible out here; in there, one whose client is gone ends.
            refusal(request) ?? Deadline.before(settings.requestTimeout, late)(app)
          return handled.pipe(
            Effect.onExit(() => Effect.sync(() => inFlight--)),
            HttpEffect.withPreResponseHandler(leaving),
            Effect.provideService(RequestInfo, info),
            Effect.annotateLogs("requestId", info.id)
          )
        })
    }),
    { global: true }
  )
