import { Account, ChangeCursor, ChangePage, ChangeQuery, changesLimit, ChangesLimit } from "@todo/core/domain"
import * as Schema from "effect/Schema"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { Authorization } from "./Authorization.ts"
import { CursorExpiredProblem, InvalidCursorProblem, InvalidInputProblem } from "./Problem.ts"
import { integerParameter } from "./integerParameter.ts"
import { Validation } from "./Validation.ts"

const description = `A page of changes. With \`Accept: text/event-stream\`, a stream that sends each change as it happens:
\`event: change\`, \`data\` is the change, \`id\` is its cursor. A stream continues after \`Last-Event-ID\`, else after
\`lastEventId\`, else after \`since\`. It ends when its token expires.`

const events = `retry: 2000
event: change
data: {"kind":"todo","id":"...","revision":42,"deleted":false,"todo":{...}}
id: CURSOR

:
`

/** The endpoints of the change feed (`/v1/changes`) and of the caller's account (`/v1/me`). */
export class ChangesApi extends HttpApiGroup.make("changes")
  .add(
    HttpApiEndpoint.get("page", "/v1/changes", {
      query: {
        ...ChangeQuery.fields,
        lastEventId: Schema.optionalKey(ChangeCursor),
        limit: integerParameter(ChangesLimit, changesLimit.default)
      },
      headers: { accept: Schema.optionalKey(Schema.String), "last-event-id": Schema.optionalKey(ChangeCursor) },
      success: ChangePage,
      error: [InvalidInputProblem, InvalidCursorProblem, CursorExpiredProblem]
    })
      .annotate(OpenApi.Summary, "Changes in revision order, as pages or live")
      .annotate(OpenApi.Description, description)
      .annotate(OpenApi.Transform, (operation) => {
        operation["responses"]["200"].content["text/event-stream"] = { schema: { type: "string" }, example: events }
        return operation
      }),

    HttpApiEndpoint.get("me", "/v1/me", {
      success: Account
    })
      .annotate(OpenApi.Summary, "The account of the user: id, revision, counts")
      .annotate(
        OpenApi.Description,
        "The id of the user, the revision of the user's last write, and the numbers of todos and lists."
      )
  )
  .middleware(Validation)
  .middleware(Authorization)
  .annotate(
    OpenApi.Description,
    "The changes of the user's todos and lists, as pages or as a live stream, and the user's account"
  ) {}
