/**
 * What a failure of the driver means to the caller: again by ourselves, again by the
 * caller, or a defect. The one place that knows SQLSTATEs.
 */
import * as Effect from "effect/Effect"
import { flow } from "effect/Function"
import * as Predicate from "effect/Predicate"
import * as Schedule from "effect/Schedule"
import { isSqlError, type SqlError } from "effect/sql/SqlError"
import { Conflict, Unavailable } from "../domain/Errors.ts"

/** The SQLSTATE or the system's error code, where there is one. */
export const errorCode = (error: SqlError): string | undefined =>
  Predicate.hasProperty(error.reason.cause, "code") && typeof error.reason.cause.code === "string"
    ? error.reason.cause.code
    : undefined

const hasCode = (error: SqlError, codes: RegExp): boolean => codes.test(errorCode(error) ?? "")

/** A parameter is no value of its type. */
export const isDataException = (error: SqlError): boolean => hasCode(error, /^22/)

/** The server says that it rolled back because of what others did at the same time. */
const isConcurrency = (error: SqlError): boolean => hasCode(error, /^(40001|40P01)$/)

/** No connection came about, also where the server said why (it starts, stops, or has too many): nothing was sent. */
const isUnconnected = (error: SqlError): boolean =>
  error.reason.operation === "connect" && error.reason._tag !== "AuthenticationError"

/** The connection ended while the statement was under way, or the server was told to stop: anything can be true. */
const isInterrupted = (error: SqlError): boolean =>
  !isUnconnected(error) && (error.reason._tag === "ConnectionError" || hasCode(error, /^(08|40003|57P0)/))

/** The database is a standby, or was told to take no writes. */
const isReadOnly = (error: SqlError): boolean => hasCode(error, /^25006/)

/**
 * 53 resources, 25P02 a transaction of the host in which something failed before, 25P03 and
 * 25P04 one that took too long, 55P03 lock timeout, 57014 statement timeout, 3D000 no such
 * database yet.
 */
const isPassing = (error: SqlError): boolean =>
  isUnconnected(error) ||
  error.reason._tag === "AuthenticationError" ||
  hasCode(error, /^(53|25P02|25P03|25P04|55P03|57014|3D000)/)

/** The server rolled back for what a statement asks or met: another one may do better. */
export const isOfStatement = (error: SqlError): boolean =>
  !isUnconnected(error) && !isInterrupted(error) && !isReadOnly(error) && !hasCode(error, /^(53|3D000|28)/)

/** More attempts: five have about a third of a second of pauses together. */
const again =
  (times: number, mayPass: (error: SqlError) => boolean, isNamed: (error: unknown) => boolean = () => false) =>
  <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.catch(self, (error) => {
      const mayRepeat = (error: E) => (isSqlError(error) ? mayPass(error) : isNamed(error))
      if (!mayRepeat(error)) return Effect.fail(error)
      // Only behind a failure, for `Effect.retry` costs 4 µs where there is none.
      const attempts = [Effect.fail(error)]
      return Effect.retry(
        Effect.suspend((): Effect.Effect<A, E, R> => attempts.pop() ?? self),
        { while: mayRepeat, times, schedule: Schedule.jittered(Schedule.exponential("10 millis")) }
      )
    })

/** Few, for a database that is away does not come back so soon, and each attempt costs half a millisecond of CPU. */
const connectAgain = again(2, isUnconnected)

/** Repeats a read after any failure that may pass, for it has no effect. */
export const retryRead = flow(
  connectAgain,
  again(5, (error) => isConcurrency(error) || isInterrupted(error))
)

/** Repeats a write that the server rolled back, or never got; one whose end is unknown is not repeated. */
export const retryWrite = flow(connectAgain, again(5, isConcurrency))

const isConcurrentWrites = (error: unknown): boolean =>
  error instanceof Conflict && error.reason === "concurrent-writes"

/** The same for a transaction of several statements, the first of which has named what it met with. */
export const retryTransaction = flow(connectAgain, again(5, isConcurrency, isConcurrentWrites))

/** With what led to it as its `cause`, which no encoding and no comparison sees, like that of any `Error`. */
export const unavailable = (fields: ConstructorParameters<typeof Unavailable>[0], cause: unknown): Unavailable =>
  Object.defineProperty(new Unavailable(fields), "cause", { value: cause })

/** Told to whoever runs it: what our statements stand on is not there. */
class SchemaMissing extends Error {
  override readonly name = "SchemaMissing"
  override readonly message =
    'The tables are not there, or not those of this release: run `Migrations.up` or "todo-admin migrate up"'
}

/** 3F000 no such schema, 42703 column, 42883 function, 42P01 table. */
const missing = /^(3F000|42703|42883|42P01)/

const orDefect =
  (toDefect: (error: SqlError) => Error) =>
  <A, E, R>(self: Effect.Effect<A, E | SqlError, R>): Effect.Effect<A, Exclude<E, SqlError> | Unavailable, R> =>
    Effect.catch(self, (error): Effect.Effect<never, Exclude<E, SqlError> | Unavailable> => {
      if (!isSqlError(error)) return Effect.fail(error as Exclude<E, SqlError>)
      if (isInterrupted(error)) return Effect.fail(unavailable({ outcome: "unknown" }, error))
      if (isReadOnly(error)) return Effect.fail(unavailable({ outcome: "not-applied", reason: "read-only" }, error))
      return isPassing(error) || isConcurrency(error)
        ? Effect.fail(unavailable({ outcome: "not-applied" }, error))
        : Effect.die(toDefect(error))
    })

/** Turns driver errors that pass by themselves into `Unavailable`; the others are defects. */
export const toUnavailable = orDefect((error) => error)

/** The same for statements that are all ours. */
const toUnavailableOfOurs = orDefect((error) =>
  hasCode(error, missing) ? new SchemaMissing(undefined, { cause: error }) : error
)

/** A connection that is lost in a transaction ends it as a defect, since it cannot be rolled back. */
const lostIsFailure = <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E | SqlError, R> =>
  Effect.catchDefect(self, (defect) => (isSqlError(defect) ? Effect.fail(defect) : Effect.die(defect)))

/** For a transaction of ours. */
export const toUnavailableTransaction = <A, E, R>(self: Effect.Effect<A, E | SqlError, R>) =>
  toUnavailable(lostIsFailure(self))

/** How a statement fails before anybody has looked at it: the driver's error, or no turn. */
export type StatementError = SqlError | Unavailable

/** The same for a read, of which nothing can have happened. */
export const toReadError = <A, R>(self: Effect.Effect<A, StatementError, R>): Effect.Effect<A, Unavailable, R> =>
  Effect.mapError(toUnavailableOfOurs(self), ({ cause }) => unavailable({ outcome: "not-applied" }, cause))

/** A conflict of writes with others has a name of its own. */
const namingConflict = <A, E, R>(
  self: Effect.Effect<A, E | SqlError, R>
): Effect.Effect<A, E | SqlError | Conflict, R> =>
  Effect.catch(self, (error): Effect.Effect<never, E | SqlError | Conflict> =>
    Effect.fail(isSqlError(error) && isConcurrency(error) ? new Conflict({ reason: "concurrent-writes" }) : error)
  )

/** The same for a write. */
export const toWriteError = <A, E, R>(self: Effect.Effect<A, E | SqlError, R>) =>
  toUnavailableOfOurs(namingConflict(self))

/** The same for a transaction of several statements, some of them the host's. */
export const toTransactionError = <A, E, R>(self: Effect.Effect<A, E | SqlError, R>) =>
  toUnavailable(namingConflict(lostIsFailure(self)))
