/**
 * What every request passes, whatever its route: its id, its limits, its log line and
 * the headers of its answer.
 */
import { randomUUID } from "node:crypto"
import * as Effect from "effect/Effect"
import type * as Duration from "effect/Duration"
import * as HttpEffect from "effect/http/HttpEffect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { Lifecycle } from "./Lifecycle.ts"
import { toProblem } from "./Problems.ts"

export interface EdgeSettings {
  /** Longest time to an answer. */
  readonly requestTimeout: Duration.Duration
  /** Largest body, in bytes. */
  readonly bodyLimit: number
}

/** An id that a proxy in front gave, where it can be repeated safely. */
const wellFormedId = /^[\w.:-]{1,128}$/

export const layer = (settings: EdgeSettings) =>
  HttpRouter.middleware(
    Effect.gen(function* () {
      const lifecycle = yield* Lifecycle

      return (app) =>
        Effect.withFiber((fiber) => {
          const request = fiber.context.mapUnsafe.get(
            HttpServerRequest.HttpServerRequest.key
          ) as HttpServerRequest.HttpServerRequest
          const given = request.headers["x-request-id"]
          const requestId = given !== undefined && wellFormedId.test(given) ? given : randomUUID()
          const started = performance.now()

          const answer = (response: HttpServerResponse.HttpServerResponse) => {
            const known = response.status < 400 ? response : toProblem(response, requestId)
            return HttpServerResponse.setHeaders(known, {
              "cache-control": "no-store",
              "x-content-type-options": "nosniff",
              "x-request-id": requestId,
              ...(lifecycle.draining() && { connection: "close" })
            })
          }

          const limited =
            Number(request.headers["content-length"] ?? 0) > settings.bodyLimit
              ? Effect.succeed(HttpServerResponse.empty({ status: 413, headers: { connection: "close" } }))
              : Effect.timeoutOrElse(app, {
                  duration: settings.requestTimeout,
                  orElse: () => Effect.succeed(HttpServerResponse.empty({ status: 503 }))
                })

          return limited.pipe(
            HttpEffect.withPreResponseHandler((request, response) =>
              Effect.as(
                Effect.logInfo("request").pipe(
                  Effect.annotateLogs({
                    requestId,
                    method: request.method,
                    path: request.url.split("?", 1)[0],
                    status: response.status,
                    milliseconds: Math.round(performance.now() - started)
                  })
                ),
                answer(response)
              )
            ),
            Effect.annotateLogs("requestId", requestId)
          )
        })
    }),
    { global: true }
  )
