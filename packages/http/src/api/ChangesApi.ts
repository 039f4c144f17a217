import { Account, ChangeCursor, ChangePage, ChangeQuery, ChangesLimit } from "@todo/core/domain"
import * as Schema from "effect/Schema"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { Authorization } from "./Authorization.ts"
import { CursorExpiredProblem, InvalidCursorProblem, InvalidInputProblem } from "./Problem.ts"
import { wholeNumber } from "./Query.ts"
import { Validation } from "./Validation.ts"

const description = `A page of changes; with \`Accept: text/event-stream\`, each change as it happens: \`event: change\`,
\`data\` one change, \`id\` its cursor. A stream goes on after \`Last-Event-ID\`, else after \`since\`, and ends when its
token expires.`

/** What happened, and who asks. */
export class ChangesApi extends HttpApiGroup.make("changes")
  .add(
    HttpApiEndpoint.get("page", "/v1/changes", {
      query: { ...ChangeQuery.fields, limit: wholeNumber(ChangesLimit) },
      headers: { accept: Schema.optionalKey(Schema.String), "last-event-id": Schema.optionalKey(ChangeCursor) },
      success: ChangePage,
      error: [InvalidInputProblem, InvalidCursorProblem, CursorExpiredProblem]
    })
      .annotate(OpenApi.Summary, "Changes in revision order, as pages or live")
      .annotate(OpenApi.Description, description)
      .annotate(OpenApi.Transform, (operation) => {
        const responses = operation["responses"] as Record<string, { content: Record<string, unknown> }>
        const ok = responses["200"]
        if (ok !== undefined) ok.content["text/event-stream"] = { schema: { type: "string" } }
        return operation
      }),

    HttpApiEndpoint.get("me", "/v1/me", {
      success: Account
    }).annotate(OpenApi.Summary, "The caller: id, revision, counts")
  )
  .middleware(Validation)
  .middleware(Authorization) {}
