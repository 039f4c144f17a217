/**
 * The API inside of a host program, as one effect from request to response. It has its own router, so the routes,
 * middleware and errors of the host and of the API do not affect each other.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Layer from "effect/Layer"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServer from "effect/http/HttpServer"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpApp from "../serve/HttpApp.ts"
import { Lifecycle } from "../boundary/Lifecycle.ts"
import { ending } from "../boundary/ProblemResponse.ts"

/** The settings of an embedded API. */
export interface EmbeddedSettings extends Omit<HttpApp.AppSettings, "requestTimeout" | "bodyLimit" | "publicUrl"> {
  /** The longest time until a response begins, 10 seconds by default. After it the request is answered 503. Event streams last longer. */
  readonly requestTimeout?: Duration.Input | undefined
  /** The largest request body in bytes, 256 KiB by default. A larger one is answered 413. */
  readonly bodyLimit?: number | undefined
}

/** The settings of a handler, which has its own shutdown. */
export interface HandlerSettings extends EmbeddedSettings {
  /** How long requests in flight may run when the handler is disposed of, 10 seconds by default. */
  readonly drainTimeout?: Duration.Input | undefined
}

type RouteMiddleware = Layer.Layer<never, never, HttpRouter.HttpRouter>

/** Makes the app, and the services that its requests need in addition to those of the host. */
export const make = Effect.fnUntraced(function* (
  embedded: EmbeddedSettings,
  routeMiddleware: RouteMiddleware = Layer.empty
) {
  const settings = {
    ...embedded,
    requestTimeout: Duration.fromInputUnsafe(embedded.requestTimeout ?? "10 seconds"),
    bodyLimit: embedded.bodyLimit ?? 256 * 1_024
  }
  const requestServices = yield* Layer.build(HttpApp.layerRequestServices(settings))
  const app = yield* HttpRouter.toHttpEffect(
    HttpApp.layer(settings, { routeMiddleware }).pipe(Layer.provide(HttpServer.layerServices))
  ).pipe(
    Effect.provideService(HttpRouter.RouterConfig, HttpApp.routerConfig),
    // A new memo map, so that layers which the host has built, above all its router, are not reused.
    Effect.provideService(Layer.CurrentMemoMap, Layer.makeMemoMapUnsafe())
  )
  return { app, requestServices }
})

/** The host has read the request body. The log tells the operator; the client gets 500. */
class BodyAlreadyRead extends Error {
  override readonly name = "BodyAlreadyRead"
  override readonly message =
    "The body of the request was read before the handler ran; mount the handler before body parsers"
}

const bodyAlreadyRead = Effect.suspend(() => Effect.withErrorReporting(Effect.die(new BodyAlreadyRead())))

/**
 * Makes an app that shuts down in order when its scope closes: event streams end, new requests are answered 503, and
 * requests in flight get `drainTimeout`.
 */
export const makeDraining = Effect.fnUntraced(function* (
  settings: HandlerSettings,
  /** Whether the body of a request has been read already. */
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
