import * as Schema from "effect/Schema"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { UnavailableProblem } from "./Problem.ts"

const Ok = Schema.Struct({ status: Schema.Literal("ok") }).annotate({ identifier: "Ok" })

/** What orchestrators ask. No token needed. */
export class SystemApi extends HttpApiGroup.make("system").add(
  HttpApiEndpoint.get("live", "/livez", { success: Ok, error: UnavailableProblem }).annotate(
    OpenApi.Summary,
    "The process answers"
  ),
  HttpApiEndpoint.get("ready", "/readyz", { success: Ok, error: UnavailableProblem }).annotate(
    OpenApi.Summary,
    "The database answers and the server takes requests"
  )
) {}
