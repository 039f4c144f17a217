/**
 * Subscribes to changes by event streams. It reconnects when a connection breaks, and polls if streams are blocked.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { type CallError, NetworkError, TokenUnavailable, UnreadableResponse } from "./ClientError.ts"
import type { Endpoints, ResponseBody } from "./ContractTypes.ts"
import * as EventParser from "./EventParser.ts"
import * as RetryPolicy from "./RetryPolicy.ts"
import { routes } from "./Routes.ts"
import * as Transport from "./Transport.ts"

type Page = ResponseBody<Endpoints["changes"]["page"]>

/** A todo or list after its latest change. `deleted` is `true` while it is in the trash. */
export type Change = Page["changes"][number]

/** A change and its cursor. */
export interface LiveChange {
  /** The todo or list after the change. */
  readonly change: Change
  /**
   * The cursor to resume at: pass it as `since`. While the client polls, only the last change of a page has the new cursor;
   * the others have the cursor of the page before. After a restart within a page, some changes may arrive twice.
   */
  readonly cursor: string | undefined
}

/** The start of a subscription, and its timeouts. */
export interface SubscribeOptions {
  /** The cursor of the last processed change. By default the subscription starts with all changes. */
  readonly since?: string | undefined
  /** How long a new stream may stay silent before the client polls instead. 5 seconds by default. */
  readonly patience?: Duration.Input
  /** How long a stream may stay silent before the client reconnects. 40 seconds by default; the server sends a heartbeat every 15 seconds. */
  readonly silence?: Duration.Input
  /** The interval of polling. 5 seconds by default. */
  readonly pollEvery?: Duration.Input
}

/** The errors that end a subscription. After `cursor-expired`, drop the local copy and subscribe without a cursor. */
export type SubscribeError = CallError<Endpoints["changes"]["page"]>

/** A connection ended and the client reconnects: after `wait`, or by the schedule `reconnecting`. */
class Disconnected {
  readonly _tag = "Disconnected"
  readonly wait: Duration.Input | undefined
  constructor(wait?: Duration.Input) {
    this.wait = wait
  }
}

/** How long the client polls before it tries a stream again. */
const pollingPeriod = Duration.toMillis("5 minutes")

/** After so many streams in a row that ended at once, the client polls. */
const maxShortStreams = 3

/** The delay between attempts: 0.2 to 10 seconds with exponential back-off, or `wait`. Each change resets it. */
const reconnecting = Schedule.min([Schedule.exponential("200 millis"), Schedule.spaced("10 seconds")]).pipe(
  Schedule.setInputType<Disconnected | SubscribeError>(),
  Schedule.tap(({ input }) => (input._tag === "Disconnected" ? Effect.void : Effect.fail(input))),
  Schedule.modifyDelay(({ duration, input }) =>
    Effect.succeed(
      input._tag === "Disconnected" && input.wait !== undefined ? Duration.fromInputUnsafe(input.wait) : duration
    )
  ),
  Schedule.jittered
)

/** The most responses in a row that do not come from the server (captive portal), or failures to get a token. */
const maxStrangeResponses = 10

/** Decides whether a failure ends the subscription or only the connection. */
const connectionFailure = (error: Transport.TransportError, isStrange: boolean): Disconnected | SubscribeError => {
  const isTemporary = isStrange || RetryPolicy.isTransient(error) || ("status" in error && error.status >= 500)
  if (!isTemporary) return error as SubscribeError
  const retryAfter = "retryAfter" in error ? error.retryAfter : undefined
  // The jitter of 20 % must not make the delay shorter than `Retry-After`.
  return new Disconnected(retryAfter === undefined ? undefined : retryAfter * 1_250)
}

/** Whether a proxy probably blocks the stream: the response is not from the server, or none came in time. */
const isBlocked = (error: Transport.TransportError): boolean =>
  (error instanceof UnreadableResponse && !RetryPolicy.isTransient(error)) ||
  (error instanceof NetworkError && Transport.isTimeout(error))

export const subscribe = (
  { open, send }: Transport.Transport,
  {
    patience: firstByteTimeout = "5 seconds",
    pollEvery: pollInterval = "5 seconds",
    silence: idleTimeout = "40 seconds",
    since
  }: SubscribeOptions = {}
): Stream.Stream<LiveChange, SubscribeError> =>
  Stream.suspend(() => {
    let cursor = since
    /** The time until which the client polls. */
    let pollUntil = 0
    /** The number of streams in a row that ended at once. */
    let failures = 0
    /**
     * The number of responses in a row that did not come from the server. It starts at the limit: before the first response
     * of the server such a response is an error, because the address is probably wrong.
     */
    let strangeResponses = maxStrangeResponses

    const serverAnswered = (): void => {
      strangeResponses = 0
    }

    const failure = (error: Transport.TransportError) =>
      connectionFailure(
        error,
        (error instanceof UnreadableResponse || error instanceof TokenUnavailable) &&
          strangeResponses++ < maxStrangeResponses
      )

    const pollForNow = Effect.map(Clock.currentTimeMillis, (now) => {
      pollUntil = now + pollingPeriod
      return new Disconnected(0)
    })

    const again = Effect.succeed(new Disconnected(0))

    /** The text of the body in pieces. Fails if a piece does not arrive in time. */
    const texts = (body: ReadableStream<Uint8Array>) =>
      Stream.suspend(() => {
        const reader = body.getReader()
        const decoder = new TextDecoder()
        const reading = Effect.tryPromise({ try: () => reader.read(), catch: () => new Disconnected() })
        return Stream.unfold(0, (pieces) =>
          reading.pipe(
            Effect.timeoutOrElse({
              duration: pieces === 0 ? firstByteTimeout : idleTimeout,
              // A proxy may pass on only the first piece.
              orElse: () => Effect.flatMap(pieces > 1 ? again : pollForNow, Effect.fail)
            }),
            Effect.map(({ value }) => {
              if (value === undefined) return undefined
              if (pieces > 0) failures = 0
              return [decoder.decode(value, { stream: true }), pieces + 1] as const
            })
          )
        )
      })

    const streamed = Stream.unwrap(
      Effect.gen(function* () {
        failures++
        const signal = yield* Effect.abortSignal
        const headers = { accept: "text/event-stream", ...(cursor !== undefined && { "last-event-id": cursor }) }
        const opened = open({ route: routes.changes.page }, headers, { signal, timeout: firstByteTimeout })
        const response = yield* Effect.catch(opened, (error) => {
          const end = isBlocked(error) ? pollForNow : Effect.sync(() => failure(error))
          return Effect.flatMap(end, Effect.fail)
        })
        const isStream = response.headers.get("content-type")?.startsWith("text/event-stream")
        if (!isStream || response.body === null) return yield* Effect.flatMap(pollForNow, Effect.fail)
        const parse = EventParser.make()
        return texts(response.body).pipe(
          Stream.map(parse),
          Stream.flattenIterable,
          Stream.filter(({ event }) => event === "change"),
          Stream.mapEffect(({ data, id }) =>
            Effect.try({
              try: (): LiveChange => {
                const change: Change = JSON.parse(data)
                cursor = id
                serverAnswered()
                return { change, cursor }
              },
              catch: () => new UnreadableResponse(200)
            })
          )
        )
      })
    )

    /** One page of changes, then a `Disconnected` that delays the next page. */
    const polled = Stream.unwrap(
      Effect.gen(function* () {
        const page = send({ route: routes.changes.page, query: { since: cursor, limit: 500 } })
        const { changes, hasMore, nextCursor } = yield* page.pipe(
          Effect.map((page) => page as Page),
          Effect.filterOrFail(
            ({ changes }) => Array.isArray(changes),
            () => new UnreadableResponse(200)
          ),
          Effect.mapError(failure)
        )
        serverAnswered()
        const before = cursor
        const live = changes.map((change, index): LiveChange => ({
          change,
          cursor: index < changes.length - 1 ? before : nextCursor
        }))
        const rest = Stream.suspend(() => {
          cursor = nextCursor
          return Stream.fail(new Disconnected(hasMore ? 0 : pollInterval))
        })
        return Stream.concat(Stream.fromIterable(live), rest)
      })
    )

    const connection = Stream.unwrap(
      Effect.map(Clock.currentTimeMillis, (now) => {
        const streams = now >= pollUntil && failures < maxShortStreams
        if (!streams) failures = 0
        return streams ? streamed : polled
      })
    )
    return connection.pipe(Stream.concat(Stream.fail(new Disconnected())), Stream.retry(reconnecting))
  }).pipe(
    // `Stream.retry` handles every `Disconnected`. This removes it from the type.
    Stream.catchTag("Disconnected", () => Stream.empty)
  )
