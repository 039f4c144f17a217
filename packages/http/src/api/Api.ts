import { HttpApi, OpenApi } from "effect/http-api"
import { ChangesApi } from "./ChangesApi.ts"
import * as Document from "./Document.ts"
import { ListsApi } from "./ListsApi.ts"
import { commonProblemBodies } from "./Problem.ts"
import { SystemApi } from "./SystemApi.ts"
import { TodosApi } from "./TodosApi.ts"

/** Unknown fields and parameters are errors. A problem lists all errors of a request, not only the first. */
const strict = { onExcessProperty: "error", errors: "all" } as const

/** The contract of the HTTP API: its routes, the schemas of requests and responses, and its errors. Runs in a browser. */
export class Api extends HttpApi.make("todo")
  .add(TodosApi)
  .add(ListsApi)
  .add(ChangesApi)
  .add(SystemApi)
  .annotate(HttpApi.PayloadParseOptions, strict)
  .annotate(HttpApi.QueryParseOptions, strict)
  .annotate(HttpApi.AdditionalSchemas, commonProblemBodies)
  .annotateMerge(
    OpenApi.annotations({
      title: "Todo",
      version: "1",
      description:
        "A todo backend. Each user sees only their own todos and lists. Each change has a revision, so no write is lost.",
      // For clients that are generated from `openapi.json`. A running server replaces it with its own address.
      servers: [{ url: "http://127.0.0.1:3000", description: "A server on this machine, as `npm start` starts it" }],
      license: { name: "MIT", url: "https://opensource.org/license/mit" },
      transform: Document.transform
    })
  ) {}
