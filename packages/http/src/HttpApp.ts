/**
 * All routes, on the services that the host provides: what `Server` serves, and what a
 * host that serves with Effect already adds to its own router.
 */
import * as Layer from "effect/Layer"
import { HttpApiBuilder, HttpApiScalar } from "effect/http-api"
import { Api } from "./api/Api.ts"
import * as Authentication from "./Authentication.ts"
import * as Edge from "./Edge.ts"
import * as ChangesHandlers from "./handlers/changes.ts"
import * as ListsHandlers from "./handlers/lists.ts"
import * as SystemHandlers from "./handlers/system.ts"
import * as TodosHandlers from "./handlers/todos.ts"
import * as Methods from "./Methods.ts"
import * as Telemetry from "./Telemetry.ts"
import * as ValidationErrors from "./ValidationErrors.ts"

export const layer = (settings: Edge.EdgeSettings) =>
  Layer.mergeAll(
    HttpApiBuilder.layer(Api, { openapiPath: "/openapi.json" }).pipe(
      Layer.provide([TodosHandlers.layer, ListsHandlers.layer, ChangesHandlers.layer, SystemHandlers.layer]),
      Layer.provide([Authentication.layer, ValidationErrors.layer])
    ),
    HttpApiScalar.layer(Api, { path: "/docs" }),
    Methods.layer,
    Telemetry.layerMetrics
  ).pipe(Layer.provide(Edge.layer(settings)))
