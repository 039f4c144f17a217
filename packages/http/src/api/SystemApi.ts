import type { Unavailable } from "@todo/core/domain"
import * as Schema from "effect/Schema"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { UnavailableProblem } from "./Problem.ts"

const Ok = Schema.Struct({
  status: Schema.Literal("ok").annotateKey({ description: "Always `ok`; otherwise the status is 503" })
}).annotate({ identifier: "Ok", description: "The check succeeded" })

/**
 * Naming the type here lets the compiler emit its import from `@todo/core/domain`. Otherwise it emits all of `@todo/core`,
 * which browsers cannot load.
 */
const unavailable = UnavailableProblem satisfies Schema.Schema<Unavailable>

/** The health checks of orchestrators. They need no token. */
export class SystemApi extends HttpApiGroup.make("system")
  .add(
    HttpApiEndpoint.get("live", "/livez", { success: Ok, error: unavailable })
      .annotate(OpenApi.Summary, "Whether the process answers")
      .annotate(
        OpenApi.Description,
        "For liveness probes: 200 as long as the process can answer. It does not query the database."
      ),
    HttpApiEndpoint.get("ready", "/readyz", { success: Ok, error: unavailable })
      .annotate(OpenApi.Summary, "Whether the database answers and the server accepts requests")
      .annotate(
        OpenApi.Description,
        "For readiness probes: 503 while the database does not answer, and while the server shuts down."
      )
  )
  .annotate(OpenApi.Description, "Health checks; they need no token") {}
