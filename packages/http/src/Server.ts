import { randomUUID } from "node:crypto"
import { createServer } from "node:http"
import type { Duplex } from "node:stream"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as ByteSize from "effect/ByteSize"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as HttpIncomingMessage from "effect/http/HttpIncomingMessage"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServer from "effect/http/HttpServer"
import { describe, mediaType } from "./api/Problem.ts"
import * as HttpApp from "./HttpApp.ts"
import { Lifecycle } from "./Lifecycle.ts"
import * as Reports from "./Reports.ts"
import * as Telemetry from "./Telemetry.ts"

export interface ServerSettings extends HttpApp.AppSettings {
  readonly host: string
  readonly port: number
  /** Where `/metrics` is served: on a port of its own, or else beside the API. */
  readonly metricsPort?: number | undefined
  /** How long requests in flight may take to end when the server is told to stop. */
  readonly drainTimeout: Duration.Duration
}

/** Paths mean what they say: no folded case, no ignored slashes. */
const routerConfig = {
  caseSensitive: true,
  ignoreTrailingSlash: false,
  ignoreDuplicateSlashes: false,
  maxParamLength: 100
}

/** Answers what is not HTTP at all, which Node would do with an empty body. */
const refuse = (error: NodeJS.ErrnoException, socket: Duplex) => {
  if (!socket.writable || error.code === "ECONNRESET") return socket.destroy()
  const tooLong = error.code === "HPE_HEADER_OVERFLOW"
  const problem = {
    ...describe("malformed-request", tooLong ? "The headers are larger than this server reads" : "This is not HTTP"),
    ...(tooLong && { status: 431 }),
    requestId: randomUUID()
  }
  const body = JSON.stringify(problem)
  return socket.end(
    [
      `HTTP/1.1 ${tooLong ? "431 Request Header Fields Too Large" : "400 Bad Request"}`,
      `Content-Type: ${mediaType}`,
      `Content-Length: ${Buffer.byteLength(body)}`,
      "Connection: close",
      "",
      body
    ].join("\r\n")
  )
}

/** A socket whose slow and silent clients are cut off, and when its time to drain is over, all. */
const socket = (settings: ServerSettings, port: number) =>
  Layer.unwrap(
    Effect.gen(function* () {
      const { ended } = yield* Lifecycle
      const server = createServer({
        headersTimeout: 10_000,
        requestTimeout: 30_000,
        connectionsCheckingInterval: 1_000
      })
      // Nothing goes either way for a minute: a client that does not read, as event streams are never silent.
      server.setTimeout(60_000)
      server.on("clientError", refuse)
      // Detached, for it has to outlive what it waits for.
      yield* Effect.forkDetach(
        Effect.andThen(
          ended,
          Effect.sync(() =>
            setTimeout(() => server.closeAllConnections(), Duration.toMillis(settings.drainTimeout)).unref()
          )
        )
      )
      return NodeHttpServer.layer(() => server, {
        host: settings.host,
        port,
        gracefulShutdownTimeout: settings.drainTimeout
      })
    })
  )

const options = { routerConfig, disableLogger: true, disableListenLog: true } as const

/** The API on a socket of its own. Ends in order: not ready, requests in flight, connections. */
export const layer = (settings: ServerSettings) => {
  const { metricsPort } = settings
  const app = HttpApp.layer(settings)
  const metrics =
    metricsPort === undefined
      ? Layer.empty
      : HttpServer.serve(Telemetry.metricsAlone).pipe(Layer.provide(socket(settings, metricsPort)))
  return Lifecycle.layerDrain.pipe(
    Layer.provideMerge(
      HttpRouter.serve(metricsPort === undefined ? Layer.merge(app, Telemetry.layerMetricsRoute) : app, options)
    ),
    Layer.provideMerge(socket(settings, settings.port)),
    Layer.provide([metrics, Telemetry.layerEventLoop]),
    Layer.provide(Layer.succeed(HttpIncomingMessage.MaxBodySize, ByteSize.bytes(settings.bodyLimit))),
    Layer.provide(Reports.layer),
    Layer.provide(Lifecycle.layer)
  )
}
