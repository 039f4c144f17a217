/**
 * The API as one function, for hosts that are not written with Effect.
 */
import { randomUUID } from "node:crypto"
import type { IncomingMessage, ServerResponse } from "node:http"
import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import { Database, SchemaName, Unavailable } from "@todo/core"
import { layerServices, type PromisedHooks, type TodosForPromises } from "@todo/core/promise"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Redacted from "effect/Redacted"
import * as References from "effect/References"
import * as SqlClient from "effect/sql/SqlClient"
import * as Authentication from "../auth/Authentication.ts"
import type * as EmbeddedApi from "./EmbeddedApi.ts"
import { assertHandlerOptions } from "./HandlerOptions.ts"
import * as Logging from "../observability/Logging.ts"
import { NodeHandler } from "./NodeHandler.ts"
import { notStarted, toProblem } from "../boundary/ProblemResponse.ts"
import { ErrorTracker, type Report } from "../observability/ErrorReports.ts"
import { type TokenSettings, TokenVerifier } from "../auth/TokenVerifier.ts"
import { WebHandler } from "./WebHandler.ts"

/** How callers are identified: by the authentication of the host, or by bearer tokens. */
export type Identification<Request> =
  | {
      /**
       * Returns the id of the user who sends a request (1-255 characters, no control characters), or `undefined`, which
       * is answered 401. It reads the headers and must not read the body. An exception is answered 500 and passed to
       * `onError`; the response does not contain it. `Unavailable` of `@todo/core` is answered 503.
       */
      readonly authenticate: (
        request: Request
      ) => Authentication.Caller | null | undefined | Promise<Authentication.Caller | null | undefined>
    }
  | {
      /** The rules for accepted bearer tokens (JWT). */
      readonly tokens: TokenSettings
    }

/** The schema of the tables, and the hooks of the host. */
interface Tables {
  /** The PostgreSQL schema of the tables, `todo` by default. */
  readonly schema?: string | undefined
  /** Hooks that run within each write, as `createTodos` takes them. */
  readonly hooks?: PromisedHooks | undefined
}

/** A migrated database. The handler opens its own connection pool (`url`), or shares that of the host (`sql`, `todos`). */
export type HandlerDatabase =
  | (Tables & {
      /** The database of the handler's own pool: `postgres://user:password@host:5432/database`. */
      readonly url: string
      /** The most connections of the pool, 10 by default. */
      readonly poolSize?: number | undefined
      /** Set it to `false` behind a transaction pooler that does not support prepared statements. */
      readonly prepare?: boolean | undefined
    })
  | (Tables & {
      /** The `SqlClient` of a host that is written with Effect. The handler never closes it. */
      readonly sql: SqlClient.SqlClient
    })
  | {
      /**
       * The result of `createTodos` of `@todo/core/promise`. The handler shares its pool, schema and hooks. Dispose of the
       * handler before you close it.
       */
      readonly todos: TodosForPromises
    }

/** The options of a handler, except how callers are identified. */
export type HandlerOptions = HandlerDatabase & CommonOptions

/** The options of a handler, except the database and how callers are identified. */
interface CommonOptions extends EmbeddedApi.HandlerSettings, Authentication.AuthenticationSettings {
  /** Called with each failure on the side of the server: once for each response with a status of 500 or above. */
  readonly onError?: ((report: Report) => void) | undefined
  /**
   * Called with log lines as JSON, each ended by a line break. They include one line for each request. By default only
   * warnings and errors are logged, to the console.
   */
  readonly log?: ((lines: string) => void) | undefined
}

/** Logs why the handler cannot start. A disposal before the start is not a failure. */
const logStartFailure = Layer.tapCause((cause: Cause.Cause<unknown>) =>
  Cause.hasInterruptsOnly(cause) ? Effect.void : Effect.logError("the handler cannot start", cause)
)

/** The response of a handler that is not running. It does not pass the middleware, so it sets the headers itself. */
const refused = (): HttpServerResponse.HttpServerResponse => {
  const id = randomUUID()
  return HttpServerResponse.setHeaders(toProblem(notStarted, id), {
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "x-request-id": id
  })
}

const refuse = (response: ServerResponse): void => {
  const { body, headers, status } = refused()
  response.writeHead(status, headers).end(body._tag === "Uint8Array" ? body.body : undefined)
}

/** Calls the `authenticate` of the host. */
const callerOf = <Request>(
  authenticate: Extract<Identification<Request>, { readonly authenticate: unknown }>["authenticate"],
  request: Request
) =>
  Effect.tryPromise({ try: async () => authenticate(request), catch: (error) => error }).pipe(
    Effect.map((caller) => caller ?? undefined),
    Effect.catch((error) => {
      if (error instanceof Unavailable) return Effect.fail(error)
      return Effect.die(error instanceof Error ? error : new Error("authenticate threw a value that is not an Error"))
    })
  )

/** The services of `@todo/core` on the database of the options. */
const layerDatabaseServices = (options: HandlerDatabase) => {
  if ("todos" in options && options.todos !== undefined) return Layer.effectContext(options.todos.services)
  const { hooks, schema = "todo" } = options as Exclude<HandlerDatabase, { readonly todos: unknown }>
  const database =
    "sql" in options && options.sql !== undefined
      ? Layer.succeed(SqlClient.SqlClient, options.sql)
      : layerPool(options as Extract<HandlerDatabase, { readonly url: unknown }>)
  return layerServices(hooks).pipe(Layer.provideMerge(database), Layer.provideMerge(Layer.succeed(SchemaName, schema)))
}

const layerPool = ({ poolSize, prepare, url }: Extract<HandlerDatabase, { readonly url: unknown }>) =>
  Database.layer({ url: Redacted.make(url), poolSize, prepare })

/** All services that a handler needs, from its options. */
const layerHost = <Request>(
  options: HandlerOptions & Identification<Request>,
  requestOf: (request: HttpServerRequest.HttpServerRequest) => Request
) => {
  const { log, onError } = options
  assertHandlerOptions(options)
  const authorization =
    "tokens" in options
      ? Authentication.layer(options).pipe(Layer.provide(TokenVerifier.layer(options.tokens)))
      : Authentication.layerFrom((request) => callerOf(options.authenticate, requestOf(request)), options)
  return authorization.pipe(
    Layer.provideMerge(layerDatabaseServices(options)),
    logStartFailure,
    Layer.provideMerge(
      Layer.mergeAll(
        onError === undefined ? Layer.empty : Layer.succeed(ErrorTracker, onError),
        log === undefined ? Layer.succeed(References.MinimumLogLevel, "Warn") : Logging.layerJson(log)
      )
    )
  )
}

/**
 * Makes a handler `(request) => Promise<Response>` for Hono, Next.js and other frameworks of web standards. `WebHandler`
 * describes how it treats requests.
 *
 * It connects to the database at the first request that needs it. While the database is unreachable, requests are answered
 * 503. `dispose` shuts down in order: event streams end, requests in flight get `drainTimeout`, and the pool closes. Later
 * requests are answered 503.
 *
 * Throws a `TypeError` that names the first invalid option.
 *
 * @example
 * const { handler, dispose } = createHandler({
 *   url: "postgres://todo_runtime@localhost/app",
 *   prefix: "/api/todos",
 *   authenticate: async (request) => (await sessionOf(request.headers.get("cookie")))?.userId
 * })
 * const response = await handler(new Request("https://example.com/api/todos/v1/me"))
 */
export const createHandler = (
  options: HandlerOptions & Identification<Request>
): { readonly handler: (request: Request) => Promise<Response>; readonly dispose: () => Promise<void> } => {
  const runtime = ManagedRuntime.make(
    WebHandler.layer(options).pipe(Layer.provide(layerHost(options, ({ source }) => source as Request)))
  )
  const started = runtime.runPromise(WebHandler)
  // A disposal before the start rejects this promise, which is not an unhandled error.
  started.catch(() => {})
  return {
    handler: (request) =>
      started.then(
        (handler) => handler(request),
        () => HttpServerResponse.toWeb(refused())
      ),
    dispose: () => runtime.dispose()
  }
}

/**
 * Makes a handler `(request, response) => void` for Express, Fastify and other frameworks on `node:http`. `NodeHandler`
 * describes how it treats requests. `authenticate` gets the request of Node with the properties that middleware of the
 * host has added.
 *
 * Connecting, `dispose` and errors are those of `createHandler`.
 *
 * @example
 * const { handler, dispose } = createNodeHandler({
 *   url: "postgres://todo_runtime@localhost/app",
 *   prefix: "/api/todos",
 *   authenticate: (request: IncomingMessage & { user?: { id: string } }) => request.user?.id
 * })
 * app.use("/api/todos", handler)
 */
export const createNodeHandler = <Request extends IncomingMessage = IncomingMessage>(
  options: HandlerOptions & Identification<Request>
): {
  readonly handler: (request: IncomingMessage, response: ServerResponse) => void
  readonly dispose: () => Promise<void>
} => {
  const runtime = ManagedRuntime.make(
    NodeHandler.layer(options).pipe(
      Layer.provide(
        layerHost(options, (request) => NodeHttpServerRequest.toIncomingMessage(request) as unknown as Request)
      )
    )
  )
  const started = runtime.runPromise(NodeHandler)
  started.catch(() => {})
  return {
    handler: (request, response) =>
      void started.then(
        (handler) => handler(request, response),
        () => refuse(response)
      ),
    dispose: () => runtime.dispose()
  }
}
