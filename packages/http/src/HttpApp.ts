/**
 * All routes, on the services that the host provides: what `Server` serves, and what a
 * host that serves with Effect already adds to its own router.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as HttpMiddleware from "effect/http/HttpMiddleware"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import { HttpApiBuilder, HttpApiScalar } from "effect/http-api"
import { Api } from "./api/Api.ts"
import * as Authentication from "./Authentication.ts"
import * as Edge from "./Edge.ts"
import * as ChangesHandlers from "./handlers/changes.ts"
import * as ListsHandlers from "./handlers/lists.ts"
import * as SystemHandlers from "./handlers/system.ts"
import * as TodosHandlers from "./handlers/todos.ts"
import * as Methods from "./Methods.ts"
import * as ValidationErrors from "./ValidationErrors.ts"

export interface AppSettings extends Edge.EdgeSettings, Authentication.AuthenticationSettings {
  /** Web pages of which origins may call from a browser; none where it is empty. */
  readonly corsOrigins?: ReadonlyArray<string> | undefined
}

/** What a browser asks before it asks. Any other OPTIONS is a question to the route. */
const isPreflight = ({ headers }: HttpServerRequest.HttpServerRequest): boolean =>
  headers["access-control-request-method"] !== undefined

/** Lets pages of these origins, and no others, read answers (Fetch Standard, 3.2). */
const cors = (origins: ReadonlyArray<string>) => {
  if (origins.length === 0) return Layer.empty
  const shared = HttpMiddleware.cors({
    allowedOrigins: origins,
    allowedMethods: ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
    allowedHeaders: [
      "authorization",
      "content-type",
      "idempotency-key",
      "if-match",
      "if-none-match",
      "last-event-id",
      "traceparent",
      "x-request-id"
    ],
    exposedHeaders: [
      "allow",
      "etag",
      "location",
      "ratelimit",
      "ratelimit-policy",
      "retry-after",
      "www-authenticate",
      "x-request-id"
    ],
    maxAge: 600
  })
  return HttpRouter.middleware(
    (app) =>
      Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) =>
        request.method === "OPTIONS" && !isPreflight(request) ? app : shared(app)
      ),
    { global: true }
  )
}

export const layer = (settings: AppSettings) =>
  Layer.mergeAll(
    HttpApiBuilder.layer(Api, { openapiPath: "/openapi.json" }).pipe(
      Layer.provide([TodosHandlers.layer, ListsHandlers.layer, ChangesHandlers.layer, SystemHandlers.layer]),
      Layer.provide([Authentication.layer(settings), ValidationErrors.layer])
    ),
    HttpApiScalar.layer(Api, { path: "/docs" }),
    Methods.layer
  ).pipe(Layer.provide(Edge.layer(settings)), Layer.provide(cors(settings.corsOrigins ?? [])))
