/**
 * All routes and what stands before them, for a router of its own: what `Server` serves on a
 * socket, and what the ways to embed serve inside of something else.
 */
import { Accounts, Changes, Lists, Todos } from "@todo/core"
import * as ByteSize from "effect/ByteSize"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as HttpIncomingMessage from "effect/http/HttpIncomingMessage"
import * as HttpMiddleware from "effect/http/HttpMiddleware"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as SqlClient from "effect/sql/SqlClient"
import { HttpApiBuilder, OpenApi } from "effect/http-api"
import { Api } from "../api/Api.ts"
import { Authorization } from "../api/Authorization.ts"
import { Validation } from "../api/Validation.ts"
import * as DocsPage from "./DocsPage.ts"
import * as RequestMiddleware from "../boundary/RequestMiddleware.ts"
import * as ChangesHandlers from "../handlers/ChangesHandlers.ts"
import * as ListsHandlers from "../handlers/ListsHandlers.ts"
import * as SystemHandlers from "../handlers/SystemHandlers.ts"
import * as TodosHandlers from "../handlers/TodosHandlers.ts"
import { Lifecycle } from "./Lifecycle.ts"
import * as MethodNotAllowed from "../boundary/MethodNotAllowed.ts"
import * as Prefix from "../boundary/Prefix.ts"
import * as ErrorReports from "../observability/ErrorReports.ts"
import * as ValidationErrors from "../boundary/ValidationErrors.ts"

export interface AppSettings extends RequestMiddleware.RequestSettings {
  /** Where the routes are mounted: `/api/todos`, so that `/v1/me` is at `/api/todos/v1/me`; at the root where nothing is said. */
  readonly prefix?: string | undefined
  /**
   * Where clients see the server, `https://example.com/api`, without a slash at its end. Requests are served at the root
   * and below its path, and answers name it. Leave `prefix` out then.
   */
  readonly publicUrl?: string | undefined
  /** Web pages of which origins may call from a browser; none where it is empty. */
  readonly corsOrigins?: ReadonlyArray<string> | undefined
}

/** What a browser asks before it asks. Any other OPTIONS is a question to the route. */
const isPreflight = ({ headers }: HttpServerRequest.HttpServerRequest): boolean =>
  headers["access-control-request-method"] !== undefined

/** To a preflight of an origin that may not call: no leave. */
const preflightRefused = Effect.succeed(HttpServerResponse.empty({ status: 204, headers: { vary: "Origin" } }))

/**
 * Lets pages of these origins, and no others, read answers (Fetch Standard, 3.2), and send whatever headers they ask for:
 * tracing tools add their own (`traceparent`, `b3`, `sentry-trace`, `x-datadog-trace-id` and more to come), and one that is
 * refused stops the whole request. A header gives a page no rights: the token does, browsers add none of theirs, and the
 * page's script has to know it.
 */
const layerCors = (origins: ReadonlyArray<string>) => {
  if (origins.length === 0) return Layer.empty
  const allowed = new Set(origins)
  const shared = HttpMiddleware.cors({
    allowedOrigins: (origin) => allowed.has(origin),
    allowedMethods: ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
    // None: those that the preflight names.
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

/**
 * The handlers, built with what they need and no more: all that they are built with is merged into the context of each
 * request, which took 3 µs.
 */
const layerHandlers = (() => {
  const all = Layer.mergeAll(TodosHandlers.layer, ListsHandlers.layer, ChangesHandlers.layer, SystemHandlers.layer)
  type Needed = Layer.Services<typeof all>
  const needed: (context: Context.Context<Needed>) => Context.Context<Needed> = Context.pick(
    Todos,
    Lists,
    Changes,
    Accounts,
    SqlClient.SqlClient,
    Lifecycle,
    Authorization,
    Validation
  )
  return Layer.fromBuild((memoMap, scope) => Effect.updateContext(Layer.buildWithMemoMap(all, memoMap, scope), needed))
})()

/** Paths mean what they say: no folded case, no ignored slashes. */
export const routerConfig = {
  caseSensitive: true,
  ignoreTrailingSlash: false,
  ignoreDuplicateSlashes: false,
  maxParamLength: 100
}

/** What requests run with: how much of a body is read, and where failures are told. */
export const layerRequestServices = ({ bodyLimit }: AppSettings) =>
  Layer.merge(Layer.succeed(HttpIncomingMessage.MaxBodySize, ByteSize.bytes(bodyLimit)), ErrorReports.layer)

/** `routeMiddleware` are global middlewares of who serves it, right before the routes. */
export const layer = (
  settings: AppSettings,
  routeMiddleware: Layer.Layer<never, never, HttpRouter.HttpRouter> = Layer.empty
) => {
  const { prefix = "", publicUrl } = settings
  if (prefix !== "" && publicUrl !== undefined) {
    throw new TypeError("prefix: leave it out, the path of publicUrl stands for it")
  }
  // Relative where the public URL is not known, so that it is right behind proxies that leave the path as it is.
  const base = publicUrl ?? prefix
  const api = Api.annotate(OpenApi.Servers, [{ url: base === "" ? "/" : base }])
  return Layer.mergeAll(
    HttpApiBuilder.layer(api, { openapiPath: "/openapi.json" }).pipe(
      Layer.provide(layerHandlers),
      Layer.provide(ValidationErrors.layer)
    ),
    DocsPage.layer(Api, base),
    MethodNotAllowed.layer
  ).pipe(
    Layer.provide(routeMiddleware),
    Layer.provide(RequestMiddleware.layer(settings)),
    Layer.provide(layerCors(settings.corsOrigins ?? [])),
    Layer.provide(publicUrl === undefined ? Prefix.layer(prefix) : Prefix.layerPublic(publicUrl))
  )
}
