import { Accounts, Changes } from "@todo/core"
import * as Effect from "effect/Effect"
import { HttpApiBuilder } from "effect/http-api"
import { Api } from "../api/Api.ts"
import * as EventStream from "../EventStream.ts"

export const layer = HttpApiBuilder.group(
  Api,
  "changes",
  Effect.fnUntraced(function* (handlers) {
    const accounts = yield* Accounts
    const changes = yield* Changes
    const events = yield* EventStream.make
    return handlers.handleAll({
      page: ({ headers, query }) =>
        headers.accept?.toLowerCase().includes("text/event-stream")
          ? events(headers["last-event-id"] ?? query.since)
          : changes.page(query),
      me: () => accounts.me
    })
  })
)
