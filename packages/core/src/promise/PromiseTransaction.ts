/** A transaction that is open, for code that is written with promises: the host's function, or a hook. */
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Semaphore from "effect/Semaphore"
import type { SqlClient } from "effect/sql/SqlClient"
import { type Methods, methods, outcome, type Requirements } from "./PromiseMethods.ts"

/** What belongs to one transaction. It can be used until the function that was given it has ended. */
export interface Transaction extends Methods {
  /** Runs a statement of the host's in the transaction. Rejects with a `SqlError` where the database refuses it. */
  readonly query: (
    text: string,
    parameters?: ReadonlyArray<unknown>
  ) => Promise<ReadonlyArray<Readonly<Record<string, unknown>>>>
}

/** A failure as a value: an object with `ok: false` and an `error`, whoever made it. */
export const isFailure = (ended: unknown): ended is { readonly ok: false; readonly error: unknown } =>
  Predicate.hasProperty(ended, "ok") && ended.ok === false && Predicate.hasProperty(ended, "error")

/** A success as a value. */
export const isSuccess = (ended: unknown): ended is { readonly ok: true; readonly value: unknown } =>
  Predicate.hasProperty(ended, "ok") && ended.ok === true && Predicate.hasProperty(ended, "value")

/** An Effect that is returned where a promise is expected would never run, and nobody would notice. */
export const assertNoEffect = (what: string, returned: unknown): void => {
  if (Effect.isEffect(returned)) {
    throw new TypeError(`${what} returned an Effect, which does not run here: return Effect.runPromise(...) of it`)
  }
}

const endedError = () => new Error("The transaction has ended: await each call before the function returns")

/**
 * Runs a function with the transaction that is open. Calls run one after the other, since they share a connection and
 * savepoints on it. A call that nobody awaited belongs to the transaction where the function succeeds. Where it fails,
 * the call that is under way ends before the rollback, and those behind it do not start.
 */
export const withTransaction = <A, E>(
  sql: SqlClient,
  run: (within: Transaction) => Effect.Effect<A, E>
): Effect.Effect<A, E, Requirements> =>
  Effect.gen(function* () {
    const runPromise = Effect.runPromiseWith(yield* Effect.context<Requirements>())
    const turns = Semaphore.makeUnsafe(1)
    let isOpen = true
    const end = Effect.sync(() => (isOpen = false))
    yield* Effect.addFinalizer(() => Effect.andThen(end, turns.withPermit(Effect.void)))

    const call = <A, E>(self: Effect.Effect<A, E, Requirements>): Promise<A> => {
      if (!isOpen) return Promise.reject(endedError())
      const called = runPromise(turns.withPermit(Effect.suspend(() => (isOpen ? self : Effect.die(endedError())))))
      // Whoever awaits it hears of its failure; otherwise the end of the transaction tells of it.
      called.catch(() => {})
      return called
    }

    const ended = yield* run({
      ...methods((self) => call(outcome(self))),
      query: (text, parameters) => call(sql.unsafe<Record<string, unknown>>(text, parameters))
    })
    yield* turns.withPermit(end)
    return ended
  }).pipe(Effect.scoped)
