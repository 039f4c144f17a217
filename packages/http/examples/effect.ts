/**
 * Mounts the API in an Effect `HttpRouter`.
 */
import { createServer } from "node:http"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Database, Services } from "@todo/core"
import { Authentication, Lifecycle, Mount } from "@todo/http"
import { Config, Duration, Effect, Layer } from "effect"
import { HttpRouter, HttpServerResponse } from "effect/http"
import { signIn, userOf } from "./Sessions.ts"

const todos = Mount.layer({ prefix: "/api/todos" }).pipe(
  Layer.provide(Authentication.layerFrom(({ headers }) => Effect.succeed(userOf(headers["cookie"])))),
  Layer.provide(Services.layer),
  Layer.provide(Layer.unwrap(Effect.map(Config.Redacted("DATABASE_URL"), (url) => Database.layer({ url }))))
)

const own = Layer.merge(
  HttpRouter.add("GET", "/", HttpServerResponse.text("The host's own page")),
  HttpRouter.add(
    "POST",
    "/sign-in/:user",
    Effect.map(HttpRouter.params, ({ user = "" }) =>
      HttpServerResponse.empty({ status: 204, headers: { "set-cookie": signIn(user) } })
    )
  )
)

Lifecycle.layerDrain(Duration.zero).pipe(
  Layer.provide(HttpRouter.serve(Layer.merge(own, todos))),
  Layer.provide(
    Layer.unwrap(
      Effect.map(Config.Int("PORT").pipe(Config.withDefault(3_000)), (port) =>
        NodeHttpServer.layer(createServer, { port, host: "127.0.0.1" })
      )
    )
  ),
  Layer.provide(Lifecycle.layer),
  Layer.launch,
  NodeRuntime.runMain
)
