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

/** Express keeps here what the client asked for, and takes its own mount path off `url`. */
const asSent = (request: IncomingMessage & { readonly originalUrl?: unknown }) =>
  typeof request.originalUrl === "string" ? request.originalUrl : request.url

/**
 * The API as a listener of Node, for the frameworks that stand on `node:http`: Express, Fastify
 * (`request.raw`, `reply.raw`), Koa, Connect. Requests and answers take the same way as in our
 * own server: no conversion, clients that read slowly slow the stream, and a connection that
 * closes interrupts the work.
 *
 * The body must be unread. Behind `express.json()` there is nothing left of it: mount the
 * handler before body parsers; else writes are answered 500, and the log says why.
 */
export class NodeHandler extends Context.Service<
  NodeHandler,
  (request: IncomingMessage, response: ServerResponse) => void
>()("@todo/http/NodeHandler") {
  /** On the services of the host. Ends in order with its scope. */
  static readonly layer = (settings: EmbeddedApi.HandlerSettings = {}) =>
    Layer.effect(
      NodeHandler,
      Effect.gen(function* () {
        const { app, requestServices } = yield* EmbeddedApi.makeDraining(settings, isRead)
        // Not the scope of the layer, whose end would interrupt them before it drains.
        const scope = yield* Scope.make()
        const handler = yield* Effect.provideContext(NodeHttpServer.makeHandler(app, { scope }), requestServices)
        return NodeHandler.of((request, response) => {
          request.url = asSent(request)
          handler(request, response)
        })
      })
    )
}
