import { Changes, CurrentUser, type LiveChange } from "@todo/core"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { Lifecycle } from "../serve/Lifecycle.ts"
import { RequestInfo } from "../boundary/RequestInfo.ts"
import { streams } from "../observability/RequestMetrics.ts"

/**
 * Tells clients how long to wait before they connect again, in milliseconds. No empty line
 * follows: `@microsoft/fetch-event-source` takes each empty line for the end of an event.
 */
const hint = "retry: 2000\n"

/** A comment, which proxies see and clients skip; without an empty line for the same reason. */
export const heartbeat = ":\n"

/** Often enough for proxies, which close what is silent, and for our own idle timeout. */
const heartbeatInterval = "15 seconds"

/**
 * Server-sent events (WHATWG HTML, 9.2). The id is the cursor that goes on behind the change. It
 * stands last: `@microsoft/fetch-event-source` keeps an id as soon as it has read its line, and
 * would skip an event whose data was cut off.
 */
const event = ({ change, cursor }: LiveChange): string =>
  `event: change\ndata: ${JSON.stringify(change)}\nid: ${cursor}\n\n`

/**
 * Answers with the changes after a cursor and those to come. A bad cursor is an ordinary
 * error; whatever fails later ends the stream, and the client goes on from its last event.
 */
export const make = Effect.gen(function* () {
  const changes = yield* Changes
  const lifecycle = yield* Lifecycle

  return Effect.fnUntraced(function* (since: string | undefined) {
    const user = yield* CurrentUser
    const { expires } = yield* RequestInfo
    const query = since === undefined ? {} : { since }
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
