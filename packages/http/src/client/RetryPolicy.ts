/**
 * Decides whether and when a request is repeated. The failure must be transient, and repeating must be safe.
 */
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import type { ProblemCode } from "../api/ProblemTypes.ts"
import { NetworkError, ProblemError, UnreadableResponse } from "./ClientError.ts"

type Failed = { readonly _tag: string } | ProblemError<ProblemCode>

const transientStatuses = new Set([429, 502, 503, 504])

/** Whether the failure is transient, so that the same request may succeed later. */
export const isTransient = (error: Failed): boolean =>
  error instanceof NetworkError ||
  ((error instanceof ProblemError || error instanceof UnreadableResponse) && transientStatuses.has(error.status)) ||
  // The first attempt of the same call is still running.
  (error instanceof ProblemError && error.code === "idempotency-key-in-use")

/** Whether the response guarantees that a write was not applied. */
export const isNotApplied = (error: Failed): boolean =>
  error instanceof ProblemError &&
  (error.code === "rate-limited" || (error.code === "unavailable" && outcomeOf(error) === "not-applied"))

const outcomeOf = ({ problem }: ProblemError<ProblemCode>) => ("outcome" in problem ? problem.outcome : undefined)

/** What the decision to repeat a call depends on, besides its error. */
interface Attempted {
  /** Whether repeating is safe even if an earlier attempt was applied. */
  readonly isRepeatable: boolean
  /** Whether an earlier attempt may have been applied. */
  readonly mayBeApplied: boolean
}

/**
 * Whether a failed call may be sent again. The failure must be transient, and the call repeatable, unless the response
 * guarantees that this attempt was not applied.
 *
 * A key in use is waited for only if an earlier attempt of this call may be using it. Otherwise another call uses the key.
 */
export const mayRepeat = (error: Failed, { isRepeatable, mayBeApplied }: Attempted): boolean => {
  if (error._tag === "IdempotencyKeyInUse" && !mayBeApplied) return false
  return isTransient(error) && (isRepeatable || isNotApplied(error))
}

const firstDelay = 200
const longestDelay = 5_000

/** The delay before the next attempt in milliseconds: `Retry-After`, plus exponential back-off with jitter. */
export const wait = (error: Failed, attempt: number): Effect.Effect<number> =>
  Effect.map(Random.next, (random) => {
    const backOff = Math.min(longestDelay, firstDelay * 2 ** (attempt - 1)) * (0.5 + random / 2)
    const retryAfter = "retryAfter" in error && error.retryAfter !== undefined ? error.retryAfter * 1_000 : 0
    return retryAfter + backOff
  })

/** `Retry-After` in seconds from now. The header has seconds or a date (RFC 9110, 10.2.3). */
export const retryAfter = (header: string | null, now: number): number | undefined => {
  if (header === null) return undefined
  const seconds = /^\d+$/.test(header) ? Number(header) : (Date.parse(header) - now) / 1_000
  return Number.isFinite(seconds) ? Math.max(0, seconds) : undefined
}
