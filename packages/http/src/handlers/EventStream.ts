import { Changes, CurrentUser, type LiveChange } from "@todo/core"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { Lifecycle } from "../boundary/Lifecycle.ts"
import { RequestInfo } from "../observability/RequestInfo.ts"
import { streams } from "../observability/RequestMetrics.ts"

/**
 * The time that clients wait before they reconnect, in milliseconds. No empty line follows, because
 * `@microsoft/fetch-event-source` reads each empty line as the end of an event.
 */
const hint = "retry: 2000\n"

/**
 * A comment line, which clients ignore. No empty line follows, because `@microsoft/fetch-event-source` reads each empty
 * line as the end of an event.
 */
export const heartbeat = ":\n"

/** Shorter than the idle timeouts of common proxies and of the server's own socket (30 s). */
const heartbeatInterval = "15 seconds"

/**
 * A server-sent event (WHATWG HTML, 9.2). Its id is the cursor after the change. The id comes last, because
 * `@microsoft/fetch-event-source` keeps an id as soon as it has read the line. With the id first, it would skip an event
 * whose data was cut off.
 */
const event = ({ change, cursor }: LiveChange): string =>
  `event: change\ndata: ${JSON.stringify(change)}\nid: ${cursor}\n\n`

/**
 * Answers with a stream of the changes after a cursor, past and future. An invalid cursor is a problem response. A
 * failure after the response has begun ends the stream, and the client reconnects with its last event id.
 */
export const make = Effect.gen(function* () {
  const changes = yield* Changes
  const lifecycle = yield* Lifecycle

  return Effect.fnUntraced(function* (since: string | undefined) {
    const user = yield* CurrentUser
    const { expires } = yield* RequestInfo
    const query = since === undefined ? {} : { since }
    // Fails while an error can still be a problem response: the status is sent with the first byte.
    yield* changes.page({ ...query, limit: 1 })

    const now = yield* Clock.currentTimeMillis
    const expired = expires === undefined ? Effect.never : Effect.sleep(Math.max(0, expires * 1_000 - now))
    const body = changes.stream(query).pipe(
      Stream.map(event),
      Stream.merge(Stream.as(Stream.fromSchedule(Schedule.spaced(heartbeatInterval)), heartbeat), {
        haltStrategy: "left"
      }),
      Stream.provideService(CurrentUser, user),
      Stream.prepend([hint]),
      Stream.interruptWhen(Effect.race(expired, lifecycle.ended)),
      Stream.catchCause((cause) => Stream.drain(Stream.fromEffect(Effect.logDebug("event stream ended", cause)))),
      Stream.onStart(Metric.modify(streams, 1)),
      Stream.ensuring(Metric.modify(streams, -1)),
      Stream.encodeText
    )
    return HttpServerResponse.stream(body, {
      contentType: "text/event-stream",
      headers: { "x-accel-buffering": "no" }
    })
  })
})
