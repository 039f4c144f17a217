/**
 * `GET /metrics` in Prometheus' text format: beside the API, or as an app for a port of its own.
 */
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { PrometheusMetrics } from "effect/observability"
import * as HostHeader from "../boundary/HostHeader.ts"
import { ownUrl } from "../boundary/Prefix.ts"
import { invalidHost } from "../boundary/ProblemResponse.ts"

/** The route beside the API. */
export const layer = PrometheusMetrics.layerHttp({ path: "/metrics" })

/** An app without other routes, for a port of its own. It also answers below `publicPath`. */
export const app = (publicPath: string) =>
  Effect.gen(function* () {
    const { headers, url } = yield* HttpServerRequest.HttpServerRequest
    if (!HostHeader.isAcceptable(headers)) return invalidHost
    return ownUrl(publicPath, url) === "/metrics"
      ? HttpServerResponse.text(yield* PrometheusMetrics.format(), {
          contentType: "text/plain; version=0.0.4; charset=utf-8"
        })
      : HttpServerResponse.empty({ status: 404 })
  })
