/** An open transaction for code with promises: the function of `transaction`, or a hook. */
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Semaphore from "effect/Semaphore"
import type { SqlClient } from "effect/sql/SqlClient"
import { type Methods, methods, outcome, type Requirements } from "./PromiseMethods.ts"

/** The methods of one transaction. They reject after the function that received them has ended. */
export interface Transaction extends Methods {
  /** Runs an SQL statement of the host in the transaction. Rejects with `SqlError` if it fails. */
  readonly query: (
    text: string,
    parameters?: ReadonlyArray<unknown>
  ) => Promise<ReadonlyArray<Readonly<Record<string, unknown>>>>
}

/** Whether a value is a failure: an object with `ok: false` and an `error`. */
export const isFailure = (ended: unknown): ended is { readonly ok: false; readonly error: unknown } =>
  Predicate.hasProperty(ended, "ok") && ended.ok === false && Predicate.hasProperty(ended, "error")

/** Whether a value is a success: an object with `ok: true` and a `value`. */
export const isSuccess = (ended: unknown): ended is { readonly ok: true; readonly value: unknown } =>
  Predicate.hasProperty(ended, "ok") && ended.ok === true && Predicate.hasProperty(ended, "value")

/** Throws if the function returned an Effect, which would never run. */
export const assertNoEffect = (what: string, returned: unknown): void => {
  if (Effect.isEffect(returned)) {
    throw new TypeError(`${what} returned an Effect, which does not run here: return Effect.runPromise(...) of it`)
  }
}

const endedError = () => new Error("The transaction has ended: await each call before the function returns")

/**
 * Runs a function in the open transaction. Its calls run one after the other, because they share a connection and its
 * savepoints. Calls that were not awaited still belong to the transaction if the function succeeds. If it fails, the running
 * call ends before the rollback, and waiting calls do not start.
 */
export const withTransaction = <A, E>(
  sql: SqlClient,
  run: (within: Transaction) => Effect.Effect<A, E>
): Effect.Effect<A, E, Requirements> =>
  Effect.gen(function* () {
    const runPromise = Effect.runPromiseWith(yield* Effect.context<Requirements>())
    const semaphore = Semaphore.makeUnsafe(1)
    let isOpen = true
    const end = Effect.sync(() => (isOpen = false))
    yield* Effect.addFinalizer(() => Effect.andThen(end, semaphore.withPermit(Effect.void)))

    const call = <A, E>(self: Effect.Effect<A, E, Requirements>): Promise<A> => {
      if (!isOpen) return Promise.reject(endedError())
      const called = runPromise(semaphore.withPermit(Effect.suspend(() => (isOpen ? self : Effect.die(endedError())))))
      // Without this, a failed call that nobody awaits would end the process as an unhandled rejection.
      called.catch(() => {})
      return called
    }

    const ended = yield* run({
      ...methods((self) => call(outcome(self))),
      query: (text, parameters) => call(sql.unsafe<Record<string, unknown>>(text, parameters))
    })
    yield* semaphore.withPermit(end)
    return ended
  }).pipe(Effect.scoped)
