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

/** Twice within the minute after which a removed key must be refused, should one answer be lost. */
const interval = "25 seconds"

/** Tokens with an unknown `kid` cannot make us fetch more often. */
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
      error instanceof FetchError ? error : new FetchError({ reason: "no answer, or one without JSON" })
  }).pipe(
    Effect.timeoutOrElse({
      duration: timeLimit,
      orElse: () => Effect.fail(new FetchError({ reason: `no answer within ${timeLimit}` }))
    })
  )
  if (!PublicKeys.isJwkSet(document)) return yield* new FetchError({ reason: "the answer is no JWK set" })
  return document.keys
})

/**
 * The keys that an issuer publishes. They are fetched again from time to time, and for a
 * `kid` that is not among them. While that fails, the last ones stay. Keys that we cannot
 * use are as good as not there: issuers publish others too.
 */
export const make = Effect.fnUntraced(function* (url: URL): Effect.fn.Return<KeySet, never, Scope.Scope> {
  /** By JWK: a key that stays the same is the same object, and what it has signed stays verified. */
  let known: ReadonlyMap<string, Key> | undefined
  let current: ReadonlySet<Key> = new Set()

  const update = Effect.fnUntraced(function* (jwks: ReadonlyArray<unknown>) {
    const next = new Map<string, Key>()
    for (const jwk of jwks) {
      const text = JSON.stringify(jwk)
      const key = known?.get(text) ?? (yield* Effect.orElseSucceed(PublicKeys.fromJwk(jwk), () => undefined))
      if (key !== undefined) next.set(text, key)
    }
    known = next
    current = new Set(next.values())
    if (next.size === 0) yield* Effect.logWarning("TODO_JWKS_URL: the key set has no key that can be used")
  })

  // One at a time, so that a late answer does not undo a newer one.
  const semaphore = yield* Semaphore.make(1)
  const refresh = fetchJwks(url).pipe(
    Effect.flatMap(update),
    Effect.catchTag("FetchError", ({ reason }) =>
      Effect.logWarning(`TODO_JWKS_URL: the key set cannot be fetched: ${reason}`)
    ),
    semaphore.withPermits(1)
  )

  // Callers share what runs or has just run. It is not theirs: none takes it along when it goes away.
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
