import { Accounts, Changes } from "@todo/core"
import * as Effect from "effect/Effect"
import { HttpApiBuilder } from "effect/http-api"
import { Api } from "../api/Api.ts"
import * as EventStream from "./EventStream.ts"

/** Whether `Accept` names `text/event-stream` with a weight above 0 (RFC 9110, 12.5.1). */
const acceptsEvents = (accept = ""): boolean =>
  accept.split(",").some((range) => /^\s*text\/event-stream\s*(;(?!\s*q=0(\.0*)?\s*$).*)?$/i.test(range))

export const layer = HttpApiBuilder.group(
  Api,
  "changes",
  Effect.fnUntraced(function* (handlers) {
    const accounts = yield* Accounts
    const changes = yield* Changes
    const events = yield* EventStream.make
    return handlers.handleAll({
      page: ({ headers, query: { lastEventId, ...query } }) => {
        // Some clients send an empty `Last-Event-ID` before their first event.
        const since = lastEventId || query.since
        if (acceptsEvents(headers.accept)) return events(headers["last-event-id"] || since)
        return changes.page(since === undefined ? query : { ...query, since })
      },
      me: () => accounts.me
    })
  })
)
