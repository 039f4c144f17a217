/**
 * The routes of the API with their middleware, from the outside in: prefix, CORS, `RequestMiddleware`, authentication,
 * validation, handlers. `Server` serves it on a socket, and `EmbeddedApi` inside of another program.
 */
import * as ByteSize from "effect/ByteSize"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as HttpIncomingMessage from "effect/http/HttpIncomingMessage"
import * as HttpMiddleware from "effect/http/HttpMiddleware"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { HttpApiBuilder, OpenApi } from "effect/http-api"
import { Api } from "../api/Api.ts"
import { methodsByPath, methodsWithMetrics } from "../api/PathTemplates.ts"
import * as DocsPage from "./DocsPage.ts"
import * as MetricsRoute from "./MetricsRoute.ts"
import * as RequestMiddleware from "../boundary/RequestMiddleware.ts"
import * as ChangesHandlers from "../handlers/ChangesHandlers.ts"
import * as ListsHandlers from "../handlers/ListsHandlers.ts"
import * as SystemHandlers from "../handlers/SystemHandlers.ts"
import * as TodosHandlers from "../handlers/TodosHandlers.ts"
import * as MethodNotAllowed from "../boundary/MethodNotAllowed.ts"
import * as Prefix from "../boundary/Prefix.ts"
import * as ErrorReports from "../observability/ErrorReports.ts"
import * as Validation from "../boundary/Validation.ts"

export interface AppSettings extends RequestMiddleware.RequestSettings {
  /** The path below which the routes are mounted: with `/api/todos`, `/v1/me` is at `/api/todos/v1/me`. The root by default. */
  readonly prefix?: string | undefined
  /**
   * The URL of the server for clients: `https://example.com/api`, without a slash at its end. Requests are served at the
   * root and below its path, and responses use it in `Location`. It cannot be combined with `prefix`.
   */
  readonly publicUrl?: string | undefined
  /** The origins whose web pages may call the API from a browser (CORS), such as `https://app.example.com`. None by default. */
  readonly corsOrigins?: ReadonlyArray<string> | undefined
}

/** Whether an OPTIONS request is a CORS preflight. The route itself answers any other. */
const isPreflight = ({ headers }: HttpServerRequest.HttpServerRequest): boolean =>
  headers["access-control-request-method"] !== undefined

/** The response to a preflight of an origin that is not allowed: it has no CORS headers. */
const preflightRefused = Effect.succeed(HttpServerResponse.empty({ status: 204, headers: { vary: "Origin" } }))

/**
 * CORS (Fetch Standard, 3.2): only pages of these origins can read responses.
 *
 * They can send any header. Tracing tools add headers of their own (`traceparent`, `b3`, `sentry-trace`,
 * `x-datadog-trace-id`), and a browser drops the whole request if one is refused. Allowing them is safe: only the token
 * gives rights, and the page's script has to send it, because browsers do not add it.
 */
const layerCors = (origins: ReadonlyArray<string>) => {
  if (origins.length === 0) return Layer.empty
  const allowed = new Set(origins)
  const shared = HttpMiddleware.cors({
    allowedOrigins: (origin) => allowed.has(origin),
    allowedMethods: ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
    // With an empty list the middleware allows the headers that the preflight names.
    allowedHeaders: [],
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
    (app) => {
      const answered = shared(app)
      return Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) => {
        if (request.method !== "OPTIONS") return answered
        if (!isPreflight(request)) return app
        return allowed.has(request.headers["origin"] ?? "") ? answered : preflightRefused
      })
    },
    { global: true }
  )
}

const handlers = Layer.mergeAll(TodosHandlers.layer, ListsHandlers.layer, ChangesHandlers.layer, SystemHandlers.layer)

/** Paths are matched exactly: by case, and with all slashes. */
export const routerConfig = {
  caseSensitive: true,
  ignoreTrailingSlash: false,
  ignoreDuplicateSlashes: false,
  maxParamLength: 100
}

/** The services that each request runs with: the limit of the body, and the error reporter. */
export const layerRequestServices = ({ bodyLimit }: AppSettings) =>
  Layer.merge(Layer.succeed(HttpIncomingMessage.MaxBodySize, ByteSize.bytes(bodyLimit)), ErrorReports.layer)

/** The parts of an app that only some hosts have. */
interface AppOptions {
  /** Whether `/metrics` is served beside the API. */
  readonly metrics?: boolean
  /** Runs inside of all other middleware, right before the routes. */
  readonly routeMiddleware?: Layer.Layer<never, never, HttpRouter.HttpRouter>
}

/** All routes with their middleware. */
export const layer = (settings: AppSettings, { metrics = false, routeMiddleware = Layer.empty }: AppOptions = {}) => {
  const { prefix = "", publicUrl } = settings
  if (prefix !== "" && publicUrl !== undefined) {
    throw new TypeError("prefix: leave it out with publicUrl, whose path is used instead")
  }
  // Without a public URL the address is relative, so it is right behind proxies that keep the path.
  const base = publicUrl ?? prefix
  const api = Api.annotate(OpenApi.Servers, [{ url: base === "" ? "/" : base }])
  const paths = metrics ? methodsWithMetrics : methodsByPath
  return Layer.mergeAll(
    HttpApiBuilder.layer(api, { openapiPath: "/openapi.json" }).pipe(
      Layer.provide(handlers),
      Layer.provide(Validation.layer)
    ),
    DocsPage.layer(Api, base),
    metrics ? MetricsRoute.layer : Layer.empty,
    MethodNotAllowed.layer(paths)
  ).pipe(
    Layer.provide(routeMiddleware),
    Layer.provide(RequestMiddleware.layer(settings, paths)),
    Layer.provide(layerCors(settings.corsOrigins ?? [])),
    Layer.provide(publicUrl === undefined ? Prefix.layer(prefix) : Prefix.layerPublic(publicUrl))
  )
}
