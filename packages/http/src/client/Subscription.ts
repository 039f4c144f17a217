/**
 * Changes as they happen, over connections that come and go.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { type CallError, NetworkError, TokenUnavailable, UnreadableAnswer } from "./ClientError.ts"
import type { Endpoints, ResponseBody } from "./ContractTypes.ts"
import * as EventParser from "./EventParser.ts"
import * as RetryPolicy from "./RetryPolicy.ts"
import { routes } from "./Routes.ts"
import * as Transport from "./Transport.ts"

type Page = ResponseBody<Endpoints["changes"]["page"]>

/** A row as it is after its latest change; `deleted` while it is in the trash. */
export type Change = Page["changes"][number]

/** A change, and the cursor to go on behind it. */
export interface LiveChange {
  /** The row as it is after the change. */
  readonly change: Change
  /**
   * Where another subscription goes on, `since` it. Of changes that were asked for as a
   * page, all but the last have the cursor before the page: what goes on there gets them again.
   */
  readonly cursor: string | undefined
}

/** Where a subscription begins, and how patient it is. */
export interface SubscribeOptions {
  /** The cursor of the last change that was worked off; from the beginning where nothing is said. */
  readonly since?: string
  /** How long a new stream may take to say anything, before pages are asked for instead. 5 seconds where nothing is said. */
  readonly patience?: Duration.Input
  /** How long a stream may be silent before it counts as broken: more than the server's 15 seconds between heartbeats; 40 where nothing is said. */
  readonly silence?: Duration.Input
  /** How often to ask for changes where they cannot be streamed. 5 seconds where nothing is said. */
  readonly pollEvery?: Duration.Input
}

/** Why a subscription cannot go on by itself; with `cursor-expired`, read everything again and subscribe without a cursor. */
export type SubscribeError = CallError<Endpoints["changes"]["page"]>

/** The end of a connection that another one may mend, and how long to wait for that: by the schedule where nothing is said. */
class Disconnected {
  readonly _tag = "Disconnected"
  readonly wait: Duration.Input | undefined
  constructor(wait?: Duration.Input) {
    this.wait = wait
  }
}

/** How long to do without a stream once none came through. */
const streamPause = Duration.toMillis("5 minutes")

/** So many streams that end at once, and pages are tried. */
const maxShortStreams = 3

/** From a fifth of a second up to ten between attempts, or as told; begins anew after each change. */
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

/** How often in a row what is not the server may answer for it, or no token be had: offline, behind a portal. */
const maxStrangeResponses = 10

/** What ends a subscription, and what only ends a connection. */
const connectionFailure = (error: Transport.TransportError, isStrange: boolean): Disconnected | SubscribeError => {
  const passes = isStrange || RetryPolicy.isTransient(error) || ("status" in error && error.status >= 500)
  if (!passes) return error as SubscribeError
  const told = "retryAfter" in error ? error.retryAfter : undefined
  // What is jittered by a fifth is not sooner than told.
  return new Disconnected(told === undefined ? undefined : told * 1_250)
}

/** Not from our server, or nothing within our patience: something in between does not let streams through. */
const isHeldBack = (error: Transport.TransportError): boolean =>
  (error instanceof UnreadableAnswer && !RetryPolicy.isTransient(error)) ||
  (error instanceof NetworkError && Transport.isTimeout(error))

export const subscribe = (
  { open, send }: Transport.Transport,
  { patience = "5 seconds", pollEvery = "5 seconds", silence = "40 seconds", since }: SubscribeOptions = {}
): Stream.Stream<LiveChange, SubscribeError> =>
  Stream.suspend(() => {
    let cursor = since
    /** Until when pages are asked for in place of a stream. */
    let pollUntil = 0
    /** Streams in a row that ended before they had lasted. */
    let failures = 0
    /** Strange answers in a row since the server was last met; who never met it is told of the first. */
    let strangeResponses = maxStrangeResponses

    const serverAnswered = (): void => {
      strangeResponses = 0
    }

    const failure = (error: Transport.TransportError) =>
      connectionFailure(
        error,
        (error instanceof UnreadableAnswer || error instanceof TokenUnavailable) &&
          strangeResponses++ < maxStrangeResponses
      )

    const pollForNow = Effect.map(Clock.currentTimeMillis, (now) => {
      pollUntil = now + streamPause
      return new Disconnected(0)
    })

    const again = Effect.succeed(new Disconnected(0))

    /** The text of the body as it comes; fails where nothing does. */
    const texts = (body: ReadableStream<Uint8Array>) =>
      Stream.suspend(() => {
        const reader = body.getReader()
        const decoder = new TextDecoder()
        const reading = Effect.tryPromise({ try: () => reader.read(), catch: () => new Disconnected() })
        return Stream.unfold(0, (pieces) =>
          reading.pipe(
            Effect.timeoutOrElse({
              duration: pieces === 0 ? patience : silence,
              // The first piece may be all that a proxy lets through.
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
        const opened = open({ route: routes.changes.page }, headers, { signal, timeout: patience })
        const response = yield* Effect.catch(opened, (error) => {
          const end = isHeldBack(error) ? pollForNow : Effect.sync(() => failure(error))
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
              catch: () => new UnreadableAnswer(200)
            })
          )
        )
      })
    )

    /** What has happened since, page by page, and then nothing until it is time to ask again. */
    const polled = Stream.unwrap(
      Effect.gen(function* () {
        const asked = send({ route: routes.changes.page, query: { since: cursor, limit: 500 } })
        const { changes, hasMore, nextCursor } = yield* asked.pipe(
          Effect.map((page) => page as Page),
          Effect.filterOrFail(
            ({ changes }) => Array.isArray(changes),
            () => new UnreadableAnswer(200)
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
          return Stream.fail(new Disconnected(hasMore ? 0 : pollEvery))
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
    // Retried for ever, so it does not get here.
    Stream.catchTag("Disconnected", () => Stream.empty)
  )
