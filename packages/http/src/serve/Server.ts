/**
 * The API as a server with its own socket. `npm start` runs it.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServer from "effect/http/HttpServer"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Authentication from "../auth/Authentication.ts"
import * as Prefix from "../boundary/Prefix.ts"
import * as HttpApp from "./HttpApp.ts"
import { Lifecycle } from "../boundary/Lifecycle.ts"
import * as MetricsRoute from "./MetricsRoute.ts"
import * as Socket from "./Socket.ts"
import * as ProcessMetrics from "../observability/ProcessMetrics.ts"
import * as RequestMetrics from "../observability/RequestMetrics.ts"

/** The settings of a server. */
export interface ServerSettings
  extends HttpApp.AppSettings, Authentication.AuthenticationSettings, Socket.SocketSettings {
  /** The port of the API. 0 takes a free port. */
  readonly port: number
  /** The port of `/metrics`, which then has its own socket. By default `/metrics` is on the port of the API. */
  readonly metricsPort?: number | undefined
  /** How long requests are still accepted after the shutdown has begun and `/readyz` answers 503. 0 by default. */
  readonly drainDelay?: Duration.Duration | undefined
  /** Whether `/` redirects to `/docs`. By default `/` is answered 404. */
  readonly development?: boolean | undefined
}

const options = { routerConfig: HttpApp.routerConfig, disableLogger: true, disableListenLog: true } as const

/** Begins the shutdown as the first finalizer, and logs its steps. */
const layerDrain = ({ drainDelay = Duration.zero, drainTimeout }: ServerSettings) =>
  Layer.effectDiscard(
    Effect.gen(function* () {
      const { drain } = yield* Lifecycle
      const accepted = Duration.isZero(drainDelay)
        ? ""
        : `, requests are still accepted for ${Duration.format(drainDelay)}`
      yield* Effect.addFinalizer(() =>
        Effect.logInfo(`shutdown begins: /readyz answers 503${accepted}`).pipe(
          Effect.andThen(drain(drainDelay)),
          Effect.andThen(
            Effect.logInfo(
              `draining: no new requests are accepted, requests in flight have ${Duration.format(drainTimeout)}`
            )
          )
        )
      )
    })
  )

/** Redirects from the address that `npm start` prints to the documentation. */
const layerHome = HttpRouter.add("GET", "/", HttpServerResponse.redirect("/docs"))

/**
 * Serves the API on its own socket. Fails with `CannotListen` if the port or host cannot be used.
 *
 * When the scope closes, the server shuts down in order: `/readyz` answers 503 for `drainDelay`; event streams end and no
 * new request is accepted; requests in flight get `drainTimeout`; connections close.
 *
 * @example
 * const settings = { host: "127.0.0.1", port: 3000, bodyLimit: 256 * 1_024, ... }
 * Server.layer(settings).pipe(
 *   Layer.provide(TokenVerifier.layer({ secrets: [secret], issuer: "https://id.example.com", ... })),
 *   Layer.provide(Services.layer),
 *   Layer.provide(Database.layer({ url })),
 *   Layer.launch
 * )
 */
export const layer = (settings: ServerSettings) => {
  const { development = false, metricsPort } = settings
  const app = HttpApp.layer(settings, { metrics: metricsPort === undefined }).pipe(
    Layer.provide(Authentication.layer(settings))
  )
  const metrics =
    metricsPort === undefined
      ? Layer.empty
      : HttpServer.serve(MetricsRoute.app(Prefix.pathOf(settings.publicUrl))).pipe(
          Layer.provide(Socket.layer(settings, metricsPort, "metricsPort"))
        )
  return layerDrain(settings).pipe(
    Layer.provideMerge(HttpRouter.serve(Layer.merge(app, development ? layerHome : Layer.empty), options)),
    Layer.provideMerge(Socket.layer(settings, settings.port, "port")),
    Layer.provide([metrics, ProcessMetrics.layer, ProcessMetrics.layerEventLoop, RequestMetrics.layerRefusals]),
    Layer.provide(HttpApp.layerRequestServices(settings)),
    Layer.provide(Lifecycle.layer)
  )
}
