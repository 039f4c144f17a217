/**
 * The middleware around every request, whatever its route: it gives the request an id, applies the limits and the
 * deadline, turns errors into problem details, writes the log line and sets the headers of the response.
 */
import { randomUUID } from "node:crypto"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpEffect from "effect/http/HttpEffect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import type { MethodsByPath } from "../api/PathTemplates.ts"
import * as RequestMetrics from "../observability/RequestMetrics.ts"
import { Lifecycle } from "./Lifecycle.ts"
import * as Deadline from "./Deadline.ts"
import { notAllowed } from "./MethodNotAllowed.ts"
import { outOfTime, outOfTimeWriting, toProblem } from "./ProblemResponse.ts"
import { RequestInfo } from "../observability/RequestInfo.ts"
import * as RequestLimits from "./RequestLimits.ts"

export interface RequestSettings {
  /** The longest time until a response begins. After it the request is interrupted and answered 503. */
  readonly requestTimeout: Duration.Duration
  /** The largest request body, in bytes. A larger one is answered 413. */
  readonly bodyLimit: number
  /** How log lines name users: by a digest of the id (`"hashed"`, the default), or by the id (`"plain"`). */
  readonly userLabel?: RequestMetrics.UserLabel | undefined
}

/** An `X-Request-Id` that is safe to repeat in logs and headers. Any other is replaced. */
const wellFormedId = /^[\w.:-]{1,128}$/

const canWrite = ({ method }: HttpServerRequest.HttpServerRequest): boolean => method !== "GET" && method !== "HEAD"

/** The middleware of an app that serves `paths`. */
export const layer = (settings: RequestSettings, paths: MethodsByPath) =>
  HttpRouter.middleware(
    Effect.gen(function* () {
      const lifecycle = yield* Lifecycle
      let inFlight = 0

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
          /** Completes an empty 404 of the router, and an empty 503 that the server makes when it ends mid-request. */
          const completed = (response: HttpServerResponse.HttpServerResponse) => {
            if (response.body._tag !== "Empty") return response
            if (response.status === 404) return notAllowed(paths, request) ?? response
            return response.status === 503 ? late : response
          }

          const finish = (_: unknown, response: HttpServerResponse.HttpServerResponse) => {
            const complete = completed(response)
            // Status 499 means that the client has closed the connection.
            const isClosed = complete.status === 499
            const sent = complete.status < 400 || isClosed ? complete : toProblem(complete, info.id)
            return Effect.as(
              RequestMetrics.observe(request, sent.status, started, info, settings.userLabel ?? "hashed"),
              HttpServerResponse.setHeaders(sent, {
                "cache-control": sent.headers["cache-control"] ?? "no-store",
                "x-content-type-options": "nosniff",
                "x-request-id": info.id,
                ...info.rateLimit,
                // The unread rest of a body that is too large would be taken for the next request.
                ...((lifecycle.draining() || sent.status === 413) && { connection: "close" })
              })
            )
          }

          const handled =
            // This middleware is uninterruptible. Inside the deadline, a closed connection interrupts the request.
            RequestLimits.refusal(request, { bodyLimit: settings.bodyLimit, inFlight }) ??
            Deadline.before(settings.requestTimeout, late)(app)
          return handled.pipe(
            Effect.onExit(() => Effect.sync(() => inFlight--)),
            HttpEffect.withPreResponseHandler(finish),
            Effect.provideService(RequestInfo, info),
            Effect.annotateLogs("requestId", info.id)
          )
        })
    }),
    { global: true }
  )
