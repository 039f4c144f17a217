/**
 * Sends requests: adds the token, repeats requests that fail, and revalidates cached responses by entity tag.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { ProblemCode } from "../api/ProblemTypes.ts"
import { NetworkError, ProblemError, TokenUnavailable, UnreadableResponse } from "./ClientError.ts"
import type { ProblemBody } from "./ContractTypes.ts"
import * as RetryPolicy from "./RetryPolicy.ts"
import * as EntityCache from "./EntityCache.ts"

/** The settings of a client, except the token. */
export interface ClientSettings {
  /**
   * The address of the API: `https://todo.example.com`, with the path below which the API is mounted. In a browser a path
   * alone is relative to the origin of the page.
   */
  readonly url: string | URL
  /** The function that sends requests, the global `fetch` by default. */
  readonly fetch?: typeof globalThis.fetch
  /** The timeout of each attempt, 15 seconds by default. It should be longer than the request timeout of the server. */
  readonly timeout?: Duration.Input
  /** The most repetitions of a request, and the time after the call within which they start: 4 `times` `within` 30 seconds by default. */
  readonly retry?: { readonly times?: number; readonly within?: Duration.Input }
  /** The most todos and lists in the cache, 500 by default. Unchanged ones are not sent again. The cache separates tokens. */
  readonly cache?: number
}

/** Gives the token before each request, and once more with the refused token after a 401. `undefined` sends none. */
export type GetToken = (refused: string | undefined) => Effect.Effect<string | undefined, TokenUnavailable>

export type TransportError = ProblemError<ProblemCode> | NetworkError | UnreadableResponse | TokenUnavailable

type Route = readonly [method: string, path: string, keyed: boolean]

/** The expected revision of a row, several of them, or `"*"` for any. */
export type Expected = number | ReadonlyArray<number> | "*"

/** The precondition of a write. Empty means none. */
export interface Expectation {
  readonly ifRevision?: Expected | undefined
  readonly ifAbsent?: true | undefined
}

interface Call extends Expectation {
  readonly route: Route
  readonly id?: string
  readonly query?: object | undefined
  readonly body?: unknown
  readonly idempotencyKey?: string | undefined
  /**
   * Called if a repeated write is refused and an earlier attempt may have been applied. Succeeds with the result of the
   * call if the earlier attempt was applied.
   */
  readonly settle?: (refusal: ProblemError<ProblemCode>) => Effect.Effect<Result.Result<unknown, void>>
}

export interface Transport {
  /** Sends a request, repeats it while that is safe, and returns the JSON of the response. */
  readonly send: (call: Call) => Effect.Effect<unknown, TransportError>
  /** Sends a request once, and returns a successful response with its body unread. */
  readonly open: (
    call: Call,
    headers: Record<string, string>,
    options: { readonly signal: AbortSignal; readonly timeout: Duration.Input }
  ) => Effect.Effect<Response, TransportError>
}

interface Reply {
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

/** Runs a promise with a timeout. A rejection and the timeout become `NetworkError`. */
const answered = <A>(
  limit: Duration.Input,
  promise: (signal: AbortSignal) => Promise<A>
): Effect.Effect<A, NetworkError> =>
  Effect.tryPromise({ try: promise, catch: (cause) => new NetworkError(cause) }).pipe(
    Effect.timeoutOrElse({
      duration: limit,
      orElse: () => Effect.fail(new NetworkError(new DOMException("There was no response in time", "TimeoutError")))
    })
  )

/** The `traceparent` header (W3C Trace Context), if the caller has a span. `HttpTraceContext` would also send `b3`. */
const trace: Effect.Effect<{ readonly traceparent?: string }> = Effect.match(Effect.currentParentSpan, {
  onSuccess: ({ sampled, spanId, traceId }) => ({
    traceparent: `00-${traceId.padStart(32, "0")}-${spanId}-${sampled ? "01" : "00"}`
  }),
  onFailure: () => ({})
})

/** Whether the error is a timeout. */
export const isTimeout = ({ cause }: NetworkError): boolean =>
  cause instanceof DOMException && cause.name === "TimeoutError"

/** The path with the id in it. An empty id and dots would match another route, so they become `-`, which is not found. */
const pathOf = ({ id, route: [, path] }: Call): string =>
  id === undefined ? path : path.replace(":id", /^\.{0,2}$/.test(id) ? "-" : encodeURIComponent(id.toWellFormed()))

const search = (query: object = {}): string => {
  const parameters = Object.entries(query).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value])
      .filter((value) => value !== undefined)
      .map((value) => [name, String(value)])
  )
  return parameters.length === 0 ? "" : `?${new URLSearchParams(parameters)}`
}

/** A random key. `crypto.randomUUID` exists only on pages that were loaded over TLS. */
const newKey = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("")

/** The syntax of a bearer token (RFC 6750, 2.1). `fetch` would quote any other in the message of its error. */
const credentials = /^[\w.~+/-]+=*$/

const isRevision = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) >= 0

/** `If-Match` (RFC 9110, 13.1.1). An empty list matches nothing, so it becomes a tag that no row has. */
const ifMatch = (expected: Expected): string => {
  if (expected === "*") return expected
  const revisions = typeof expected === "number" ? [expected] : expected
  if (!Array.isArray(revisions) || !revisions.every(isRevision)) {
    throw new TypeError('ifRevision: must be a revision, a list of revisions, or "*"')
  }
  return revisions.length === 0 ? '""' : revisions.map((revision) => `"${revision}"`).join(", ")
}

/** Whether repeating the write is safe. With `"*"` or several revisions, it could overwrite a later write of others. */
const isGuarded = ({ ifAbsent, ifRevision }: Expectation): boolean =>
  ifAbsent === true || (ifRevision !== undefined && ifRevision !== "*" && [ifRevision].flat().length < 2)

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const isProblem = (body: unknown): body is ProblemBody<ProblemCode> =>
  typeof body === "object" &&
  body !== null &&
  "code" in body &&
  typeof body.code === "string" &&
  "status" in body &&
  typeof body.status === "number"

const refusal = ({ headers, status, text }: Reply, now: number): ProblemError<ProblemCode> | UnreadableResponse => {
  const [body, retryAfter] = [parse(text), RetryPolicy.retryAfter(headers.get("retry-after"), now)]
  return isProblem(body)
    ? new ProblemError(body, retryAfter)
    : new UnreadableResponse(status, headers.get("x-request-id") ?? undefined, retryAfter)
}

const isRow = (body: unknown): body is { readonly id: string } =>
  typeof body === "object" && body !== null && "id" in body && typeof body.id === "string"

export const make = (settings: ClientSettings, getToken: GetToken): Transport => {
  const base = String(settings.url).replace(/\/+$/, "")
  const timeout = settings.timeout ?? "15 seconds"
  const { times = 4, within = "30 seconds" } = settings.retry ?? {}
  const retryWindow = Duration.toMillis(within)
  const entities = EntityCache.make(settings.cache ?? 500)

  const ask = (refused: string | undefined) =>
    Effect.flatMap(getToken(refused), (token) =>
      token === undefined || credentials.test(token)
        ? Effect.succeed(token)
        : Effect.fail(new TokenUnavailable(new Error("The value is not a bearer token")))
    )

  const requestOf = (call: Call, token: string | undefined, given: Record<string, string>) => {
    const { body, ifAbsent, ifRevision, query, route } = call
    const init: RequestInit = {
      method: route[0],
      headers: {
        accept: "application/json",
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(body !== undefined && { "content-type": "application/json" }),
        ...(ifRevision !== undefined && { "if-match": ifMatch(ifRevision) }),
        ...(ifAbsent && { "if-none-match": "*" }),
        ...given
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      // Following a redirect may turn a POST into a GET.
      redirect: "manual"
    }
    const url = base + pathOf(call) + search(query)
    // An invalid URL or header is a mistake of the caller. It throws here, so that it is not repeated.
    return { url: new Request(url, init).url, init }
  }

  /** Sends a request once, and reads the response with `take`. */
  const exchange = <A>(
    call: Call,
    token: string | undefined,
    headers: Record<string, string>,
    limit: Duration.Input,
    take: (response: Response) => A | Promise<A>,
    signal?: AbortSignal
  ): Effect.Effect<A, NetworkError> =>
    Effect.flatMap(trace, (trace) => {
      const { init, url } = requestOf(call, token, { ...trace, ...headers })
      const fetch = settings.fetch ?? globalThis.fetch
      return answered(limit, async (limited) => take(await fetch(url, { ...init, signal: signal ?? limited })))
    })

  /** Sends with a token, and after a 401 once more with a new one. A 401 means that nothing was applied. */
  const authorized = Effect.fnUntraced(function* <A extends { readonly status: number }>(
    exchange: (token: string | undefined) => Effect.Effect<A, NetworkError>
  ) {
    const token = yield* ask(undefined)
    const reply = yield* exchange(token)
    if (reply.status !== 401 || token === undefined) return { reply, token }
    const renewed = yield* ask(token)
    return renewed === token ? { reply, token } : { reply: yield* exchange(renewed), token: renewed }
  })

  const open: Transport["open"] = Effect.fnUntraced(function* (call, headers, { signal, timeout }) {
    const { reply } = yield* authorized((token) =>
      exchange(call, token, headers, timeout, (response) => response, signal)
    )
    if (reply.status === 200) return reply
    const text = yield* answered(timeout, () => reply.text())
    const now = yield* Clock.currentTimeMillis
    return yield* Effect.fail(refusal({ status: reply.status, headers: reply.headers, text }, now))
  })

  const sendOnce = Effect.fnUntraced(function* (call: Call, key: string | undefined) {
    const [method, path] = call.route
    const [collection = path] = path.split("/:id")
    const isRead = method === "GET" && call.id !== undefined
    // The token identifies the user. Without one the user is unknown, so nothing is cached.
    const cacheKey = (token: string | undefined, id = "") =>
      token === undefined ? undefined : `${token}\n${collection}/${id}`
    const { reply, token } = yield* authorized((token) => {
      const known = isRead ? entities.get(cacheKey(token, call.id)) : undefined
      const headers = {
        ...(key !== undefined && { "idempotency-key": key }),
        ...(known !== undefined && { "if-none-match": known.etag })
      }
      return exchange(call, token, headers, timeout, async (response) => ({
        status: response.status,
        headers: response.headers,
        text: await response.text(),
        known
      }))
    })
    if (reply.status === 304 && reply.known !== undefined) return JSON.parse(reply.known.json) as unknown
    if (reply.status === 204) {
      entities.delete(cacheKey(token, call.id))
      return undefined
    }
    if (reply.status < 200 || reply.status > 299) {
      return yield* Effect.fail(refusal(reply, yield* Clock.currentTimeMillis))
    }
    const body = parse(reply.text)
    if (body === undefined) {
      return yield* Effect.fail(new UnreadableResponse(reply.status, reply.headers.get("x-request-id") ?? undefined))
    }
    const etag = reply.headers.get("etag")
    if (etag !== null && isRow(body)) entities.set(cacheKey(token, body.id), { etag, json: reply.text })
    return body
  })

  const send: Transport["send"] = Effect.fnUntraced(function* (call) {
    const [method, , keyed] = call.route
    const key = keyed ? (call.idempotencyKey ?? newKey()) : undefined
    const isRepeatable = method === "GET" || keyed || isGuarded(call)
    const started = yield* Clock.currentTimeMillis
    let mayBeApplied = false
    for (let attempt = 1; ; attempt++) {
      const result = yield* Effect.result(sendOnce(call, key))
      if (Result.isSuccess(result)) return result.success
      const error = result.failure
      if (mayBeApplied && call.settle !== undefined && error instanceof ProblemError) {
        const settled = yield* call.settle(error)
        if (Result.isSuccess(settled)) return settled.success
      }
      const wait = yield* RetryPolicy.wait(error, attempt)
      const isOutOfTime = (yield* Clock.currentTimeMillis) + wait - started > retryWindow
      if (isOutOfTime || attempt > times || !RetryPolicy.mayRepeat(error, { isRepeatable, mayBeApplied })) {
        return yield* Effect.fail(error)
      }
      mayBeApplied ||= !RetryPolicy.isNotApplied(error)
      yield* Effect.sleep(wait)
    }
  })

  return { send, open }
}
