/**
 * The API inside of a program that is somebody else's: one effect from request to answer, with
 * a router of its own, so that neither side's routes, middlewares and errors touch the other's.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Layer from "effect/Layer"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServer from "effect/http/HttpServer"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpApp from "../serve/HttpApp.ts"
import { Lifecycle } from "../serve/Lifecycle.ts"
import { ending } from "../boundary/ProblemResponse.ts"

/** What a host may say about the API that it embeds. */
export interface EmbeddedSettings extends Omit<HttpApp.AppSettings, "requestTimeout" | "bodyLimit" | "publicUrl"> {
  /** Longest time to an answer; 10 seconds where nothing is said. Event streams last longer. */
  readonly requestTimeout?: Duration.Input | undefined
  /** Largest body, in bytes; 256 KiB where nothing is said. */
  readonly bodyLimit?: number | undefined
}

/** The same for what has an end of its own. */
export interface HandlerSettings extends EmbeddedSettings {
  /** How long requests in flight may take to end when the handler is told to; 10 seconds where nothing is said. */
  readonly drainTimeout?: Duration.Input | undefined
}

type RouteMiddleware = Layer.Layer<never, never, HttpRouter.HttpRouter>

/** The app, and what its requests run with besides what their host gives them. */
export const make = Effect.fnUntraced(function* (embedded: EmbeddedSettings, routeMiddleware?: RouteMiddleware) {
  const settings = {
    ...embedded,
    requestTimeout: Duration.fromInputUnsafe(embedded.requestTimeout ?? "10 seconds"),
    bodyLimit: embedded.bodyLimit ?? 256 * 1_024
  }
  const requestServices = yield* Layer.build(HttpApp.layerRequestServices(settings))
  const app = yield* HttpRouter.toHttpEffect(
    HttpApp.layer(settings, routeMiddleware).pipe(Layer.provide(HttpServer.layerServices))
  ).pipe(
    Effect.provideService(HttpRouter.RouterConfig, HttpApp.routerConfig),
    // Layers that a host has built already, its router above all, are not the ones that are meant here.
    Effect.provideService(Layer.CurrentMemoMap, Layer.makeMemoMapUnsafe())
  )
  return { app, requestServices }
})

/** Told to the operator; the client hears that it is our fault. */
class BodyAlreadyRead extends Error {
  override readonly name = "BodyAlreadyRead"
  override readonly message = "Mount the handler before body parsers: of this request's body there is nothing left"
}

const bodyAlreadyRead = Effect.suspend(() => Effect.withErrorReporting(Effect.die(new BodyAlreadyRead())))

/**
 * The same, ending in order with the scope: event streams end, what comes is answered 503, what
 * is under way gets its time, and then 503 too.
 */
export const makeDraining = Effect.fnUntraced(function* (
  settings: HandlerSettings,
  /** Whether somebody has taken the body that a request had. */
  isRead: (request: HttpServerRequest.HttpServerRequest) => boolean
) {
  const lifecycle = yield* Lifecycle.make
  const requests = yield* FiberSet.make()
  let ended = false
  yield* Effect.addFinalizer(() =>
    Effect.andThen(
      lifecycle.drain(Duration.zero),
      Effect.suspend(() => {
        ended = true
        return Effect.timeoutOption(FiberSet.awaitEmpty(requests), settings.drainTimeout ?? "10 seconds")
      })
    )
  )

  const routeMiddleware = HttpRouter.middleware(
    (app) =>
      Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) =>
        ended ? Effect.succeed(ending) : isRead(request) ? bodyAlreadyRead : app
      ),
    { global: true }
  )
  const { app, requestServices } = yield* Effect.provideService(make(settings, routeMiddleware), Lifecycle, lifecycle)
  const counted = Effect.withFiber<Effect.Success<typeof app>, Effect.Error<typeof app>, Effect.Services<typeof app>>(
    (fiber) => {
      if (!ended) FiberSet.addUnsafe(requests, fiber)
      return app
    }
  )
  return { app: counted, requestServices }
})
