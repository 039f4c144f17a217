import type { IncomingMessage, ServerResponse } from "node:http"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as HttpMethod from "effect/http/HttpMethod"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as EmbeddedApi from "./EmbeddedApi.ts"

const isRead = (request: HttpServerRequest.HttpServerRequest): boolean =>
  HttpMethod.hasBody(request.method) && NodeHttpServerRequest.toIncomingMessage(request).readableDidRead

/** Express removes the mount path from `url`, and keeps the URL of the client in `originalUrl`. */
const asSent = (request: IncomingMessage & { readonly originalUrl?: unknown }) =>
  typeof request.originalUrl === "string" ? request.originalUrl : request.url

/**
 * The API as a request listener of `node:http`, for Express, Fastify (`request.raw`, `reply.raw`), Koa and Connect.
 * Requests and responses are not converted, a slow reader slows the stream (back-pressure), and a closed connection
 * interrupts the work.
 *
 * Mount the handler before body parsers such as `express.json()`, which read the body. Behind one, writes are answered
 * 500, and the log gives the reason.
 */
export class NodeHandler extends Context.Service<
  NodeHandler,
  (request: IncomingMessage, response: ServerResponse) => void
>()("@todo/http/NodeHandler") {
  /** Serves with the services of the host. Shuts down in order when its scope closes. */
  static readonly layer = (settings: EmbeddedApi.HandlerSettings = {}) =>
    Layer.effect(
      NodeHandler,
      Effect.gen(function* () {
        const { app, requestServices } = yield* EmbeddedApi.makeDraining(settings, isRead)
        // Not the scope of the layer: closing it would interrupt requests before they drain.
        const scope = yield* Scope.make()
        const handler = yield* Effect.provideContext(NodeHttpServer.makeHandler(app, { scope }), requestServices)
        return NodeHandler.of((request, response) => {
          request.url = asSent(request)
          handler(request, response)
        })
      })
    )
}
