import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import { isPublic, type Key, type KeySet, KeysUnavailable, select } from "./KeySet.ts"
import * as PublicKeys from "./PublicKeys.ts"

const timeLimit = "3 seconds"
const sizeLimit = 64 * 1_024

/** A removed key must be refused within a minute. Two fetches fit into it, so one of them may fail. */
const interval = "25 seconds"

/** The shortest time between fetches that tokens with an unknown `kid` cause. */
const cooldown = "10 seconds"

class FetchError extends Schema.TaggedError<FetchError>()("FetchError", { reason: Schema.String }) {}

const download = async (url: URL, signal: AbortSignal): Promise<unknown> => {
  const response = await fetch(url, { redirect: "manual", headers: { accept: "application/json" }, signal })
  if (response.status !== 200) {
    await response.body?.cancel()
    throw new FetchError({ reason: `the status is ${response.status}` })
  }
  const chunks: Array<Uint8Array> = []
  let size = 0
  for await (const chunk of response.body ?? []) {
    size += chunk.length
    if (size > sizeLimit) throw new FetchError({ reason: `it has more than ${sizeLimit} bytes` })
    chunks.push(chunk)
  }
  return JSON.parse(Buffer.concat(chunks).toString())
}

const fetchJwks = Effect.fnUntraced(function* (url: URL) {
  const document = yield* Effect.tryPromise({
    try: (signal) => download(url, signal),
    catch: (error) =>
      error instanceof FetchError ? error : new FetchError({ reason: "no response, or one without JSON" })
  }).pipe(
    Effect.timeoutOrElse({
      duration: timeLimit,
      orElse: () => Effect.fail(new FetchError({ reason: `no response within ${timeLimit}` }))
    })
  )
  if (!PublicKeys.isJwkSet(document)) return yield* new FetchError({ reason: "the response is no JWK set" })
  return document.keys
})

/**
 * The key set that an issuer publishes at a URL (JWKS). It is fetched again at an interval, and when a token has an unknown
 * `kid`. If a fetch fails, the last keys stay. Keys that cannot be used are ignored, because issuers also publish keys for
 * other purposes.
 *
 * `jose.createRemoteJWKSet` does not fit: it fetches when a token needs a key, never in the background. Once its copy is
 * older than `cacheMaxAge` (10 minutes by default), every token fails while the issuer is down. Here the last keys stay.
 */
export const make = Effect.fnUntraced(function* (url: URL): Effect.fn.Return<KeySet, never, Scope.Scope> {
  /** By the text of the JWK. An unchanged key stays the same object, so tokens that it verified stay verified. */
  let known: ReadonlyMap<string, Key> | undefined
  let current: ReadonlySet<Key> = new Set()

  // Only the origin, because the path and the query may have a secret.
  const name = `the key set of ${url.origin}`

  const update = Effect.fnUntraced(function* (jwks: ReadonlyArray<unknown>) {
    const next = new Map<string, Key>()
    for (const jwk of jwks) {
      const text = JSON.stringify(jwk)
      const key = known?.get(text) ?? (yield* Effect.orElseSucceed(PublicKeys.fromJwk(jwk), () => undefined))
      if (key !== undefined) next.set(text, key)
    }
    known = next
    current = new Set(next.values())
    if (next.size === 0) yield* Effect.logWarning(`${name} has no key that can be used`)
  })

  // One fetch at a time, so that a late response cannot replace a newer one.
  const semaphore = yield* Semaphore.make(1)
  const refresh = fetchJwks(url).pipe(
    Effect.flatMap(update),
    Effect.catchTag("FetchError", ({ reason }) => Effect.logWarning(`${name} cannot be fetched: ${reason}`)),
    semaphore.withPermits(1)
  )

  // Callers share a running or recent fetch. It belongs to the layer, so a caller that is interrupted does not end it.
  const scope = yield* Effect.scope
  const shared = yield* refresh.pipe(
    Effect.forkIn(scope),
    Effect.cachedWithTTL(() => (known === undefined ? timeLimit : cooldown))
  )
  const onDemand = Effect.flatMap(shared, Fiber.await)

  yield* onDemand.pipe(
    Effect.andThen(Effect.sleep(interval)),
    Effect.andThen(Effect.repeat(refresh, Schedule.spaced(interval))),
    Effect.forkIn(scope)
  )

  return {
    find: Effect.fnUntraced(function* (header) {
      const found = select(current, header)
      const mayBeNew = known === undefined || (header.kid !== undefined && found[0]?.id !== header.kid)
      if (!mayBeNew || !isPublic(header.alg)) return found
      yield* onDemand
      if (known === undefined) return yield* new KeysUnavailable()
      return select(current, header)
    }),
    has: (key) => current.has(key)
  }
})
