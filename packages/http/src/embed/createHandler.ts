/**
 * The API as one function, for hosts that are not written with Effect.
 */
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
import { assertWellFormed } from "./HandlerOptions.ts"
import * as Logging from "../observability/Logging.ts"
import { NodeHandler } from "./NodeHandler.ts"
import { ending } from "../boundary/ProblemResponse.ts"
import { ErrorTracker, type Report } from "../observability/ErrorReports.ts"
import { type TokenSettings, TokenVerifier } from "../auth/TokenVerifier.ts"
import { WebHandler } from "./WebHandler.ts"

/** Who calls: by the host's own authentication, or by tokens. */
export type Identification<Request> =
  | {
      /**
       * Tells from the headers of a request whose it is: the user's id (1-255 characters, no control characters), or
       * nothing, which is answered 401. Whatever it throws is answered 500, without a word of it, and told to `onError`;
       * `Unavailable` of `@todo/core` is answered 503.
       */
      readonly authenticate: (
        request: Request
      ) => Authentication.Caller | null | undefined | Promise<Authentication.Caller | null | undefined>
    }
  | {
      /** The bearer tokens (JWT) that are taken. */
      readonly tokens: TokenSettings
    }

/** The tables, and what the host does within each write to them. */
interface Tables {
  /** The schema of the tables; `todo` by default. */
  readonly schema?: string | undefined
  /** What the host does within each write, as `createTodos` takes it. */
  readonly hooks?: PromisedHooks | undefined
}

/** A migrated database: one of which the handler has a pool of its own, or one that it shares with the host. */
export type HandlerDatabase =
  | (Tables & {
      /** `postgres://user:password@host:5432/database`. The handler has a pool of its own there. */
      readonly url: string
      /** How many connections at most; 10 by default. */
      readonly poolSize?: number | undefined
      /** `false` behind a transaction pooler that keeps no prepared statements. */
      readonly prepare?: boolean | undefined
    })
  | (Tables & {
      /** The `SqlClient` of a host that is written with Effect. The handler shares it, and never closes it. */
      readonly sql: SqlClient.SqlClient
    })
  | {
      /**
       * What `createTodos` of `@todo/core/promise` gave: the handler shares its pool, schema and hooks. Dispose of the
       * handler first, then close this.
       */
      readonly todos: TodosForPromises
    }

/** What a handler is made of. */
export type HandlerOptions = HandlerDatabase & CommonOptions

/** What a handler can be told besides where its database is, and who calls. */
interface CommonOptions extends EmbeddedApi.HandlerSettings, Authentication.AuthenticationSettings {
  /** Called with each failure on the side of the server: once for each response with a status of 500 or above. */
  readonly onError?: ((report: Report) => void) | undefined
  /** Handed the log, a line of JSON for each request among it; without it, only failures are logged, to the console. */
  readonly log?: ((lines: string) => void) | undefined
}

/** Where the log says why there are no answers, unless it was told to end before it began. */
const logStartFailure = Layer.tapCause((cause: Cause.Cause<unknown>) =>
  Cause.hasInterruptsOnly(cause) ? Effect.void : Effect.logError("the handler cannot start", cause)
)

/** The host's own word, as an effect. */
const callerOf = <Request>(
  authenticate: Extract<Identification<Request>, { readonly authenticate: unknown }>["authenticate"],
  request: Request
) =>
  Effect.tryPromise({ try: async () => authenticate(request), catch: (error) => error }).pipe(
    Effect.map((caller) => caller ?? undefined),
    Effect.catch((error) => {
      if (error instanceof Unavailable) return Effect.fail(error)
      return Effect.die(error instanceof Error ? error : new Error("authenticate threw what is no error"))
    })
  )

/** The services, on the database that the host names. */
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

/** All that a handler needs, from what its host says. */
const layerHost = <Request>(
  options: HandlerOptions & Identification<Request>,
  requestOf: (request: HttpServerRequest.HttpServerRequest) => Request
) => {
  const { log, onError } = options
  assertWellFormed(options)
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
 * The API as `(request) => Promise<Response>`, as `WebHandler` describes it, for Hono, Next.js and all that speaks the
 * web's standards.
 *
 * It connects when it is first needed: a database that is down is answered 503. `dispose` ends in order: event streams
 * end, requests in flight get `drainTimeout`, then the pool closes; what still comes is answered 503.
 *
 * Throws a `TypeError` where an option cannot be what it should.
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
  const ended = () => HttpServerResponse.toWeb(ending)
  // Where it was disposed before it had started.
  started.catch(() => {})
  return {
    handler: (request) => started.then((handler) => handler(request), ended),
    dispose: () => runtime.dispose()
  }
}

/**
 * The same as `(request, response) => void`, as `NodeHandler` describes it, for Express, Fastify and all that stands
 * on `node:http`. `authenticate` gets Node's request, with all that the host's middlewares have put on it.
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
  const ended = (response: ServerResponse) => response.writeHead(ending.status, ending.headers).end()
  started.catch(() => {})
  return {
    handler: (request, response) =>
      void started.then(
        (handler) => handler(request, response),
        () => ended(response)
      ),
    dispose: () => runtime.dispose()
  }
}
