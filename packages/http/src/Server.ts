import { createServer } from "node:http"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as ByteSize from "effect/ByteSize"
import type * as Duration from "effect/Duration"
import * as Layer from "effect/Layer"
import * as HttpIncomingMessage from "effect/http/HttpIncomingMessage"
import * as HttpRouter from "effect/http/HttpRouter"
import type { EdgeSettings } from "./Edge.ts"
import * as HttpApp from "./HttpApp.ts"
import { Lifecycle } from "./Lifecycle.ts"
import * as Reports from "./Reports.ts"

export interface ServerSettings extends EdgeSettings {
  readonly host: string
  readonly port: number
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

/** The API on a socket of its own. Ends in order: not ready, requests in flight, connections. */
export const layer = (settings: ServerSettings) =>
  Lifecycle.layerDrain.pipe(
    Layer.provideMerge(
      HttpRouter.serve(HttpApp.layer(settings), { routerConfig, disableLogger: true, disableListenLog: true })
    ),
    Layer.provideMerge(
      NodeHttpServer.layer(
        () => {
          const server = createServer({
            headersTimeout: 10_000,
            requestTimeout: 30_000,
            connectionsCheckingInterval: 1_000
          })
          // Nothing goes either way for a minute: a client that does not read, as event streams are never silent.
          return server.setTimeout(60_000)
        },
        { host: settings.host, port: settings.port, gracefulShutdownTimeout: settings.drainTimeout }
      )
    ),
    Layer.provide(Layer.succeed(HttpIncomingMessage.MaxBodySize, ByteSize.bytes(settings.bodyLimit))),
    Layer.provide(Reports.layer),
    Layer.provide(Lifecycle.layer)
  )
