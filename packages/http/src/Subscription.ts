import { type Change, CursorExpired, InvalidCursor, UserDisabled } from "@todo/core/domain"
import * as Effect from "effect/Effect"
import * as Sse from "effect/encoding/Sse"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import { Unauthorized } from "./api/Problem.ts"
import type { ClientOptions } from "./client.ts"

/** Why a subscription cannot go on by itself. */
export type SubscribeError = Unauthorized | UserDisabled | InvalidCursor | CursorExpired

/** The connection ended, or did not come about: nothing that another one would not mend. */
class Disconnected extends Schema.TaggedError<Disconnected>()("Disconnected", {}) {}

const refusals: Record<number, () => SubscribeError> = {
  400: () => new InvalidCursor({}),
  401: () => new Unauthorized({ reason: "invalid" }),
  403: () => new UserDisabled({}),
  410: () => new CursorExpired({})
}

/** From a tenth of a second up to ten between attempts; begins anew after each connection that held. */
const patience = Schedule.min([Schedule.exponential("100 millis"), Schedule.spaced("10 seconds")]).pipe(
  Schedule.jittered,
  Schedule.setInputType<Disconnected | SubscribeError>(),
  Schedule.tap(({ input }) => (input._tag === "Disconnected" ? Effect.void : Effect.fail(input)))
)

/**
 * The changes after a cursor, all where there is none, and then each as it happens. Goes
 * on behind the last one by itself when the connection ends; keep the cursor of what you
 * have worked off to go on in another process. Ends only with an error that needs you:
 * a token that is refused, or a cursor that is (`CursorExpired`: start over without one).
 */
export const subscribe = (
  { token, url }: ClientOptions,
  since?: string
): Stream.Stream<{ readonly change: Change; readonly cursor: string }, SubscribeError> =>
  Stream.suspend(() => {
    let cursor = since
    const connection = Stream.unwrap(
      Effect.gen(function* () {
        const client = yield* HttpClient.HttpClient
        const request = HttpClientRequest.get(new URL("/v1/changes", url)).pipe(
          HttpClientRequest.bearerToken(yield* token),
          HttpClientRequest.setHeaders({
            accept: "text/event-stream",
            ...(cursor !== undefined && { "last-event-id": cursor })
          })
        )
        const response = yield* Effect.mapError(client.execute(request), () => new Disconnected({}))
        if (response.status !== 200) return yield* Effect.fail(refusals[response.status]?.() ?? new Disconnected({}))
        return events(response.stream).pipe(
          Stream.mapError(() => new Disconnected({})),
          Stream.map(({ data, id = "" }) => {
            cursor = id
            return { change: JSON.parse(data) as Change, cursor: id }
          })
        )
      })
    )
    return connection.pipe(Stream.concat(Stream.fail(new Disconnected({}))), Stream.retry(patience))
  }).pipe(
    // Retried for ever, so it does not get here.
    Stream.catchTag("Disconnected", () => Stream.empty),
    Stream.provide(FetchHttpClient.layer)
  )

/** The events in a body; hints on when to try again are ours to follow or not. */
const events = <E, R>(body: Stream.Stream<Uint8Array, E, R>) =>
  Stream.suspend(() => {
    const parsed: Array<Sse.Event> = []
    const parser = Sse.makeParser((event) => {
      if (event._tag === "Event") parsed.push(event)
    })
    return body.pipe(
      Stream.decodeText,
      Stream.map((text) => {
        parser.feed(text)
        return parsed.splice(0)
      }),
      Stream.flattenIterable
    )
  })
