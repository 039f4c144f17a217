/**
 * Classifies failures of the database driver: which are retried here, which reach the caller as `Unavailable` or
 * `Conflict`, and which are defects. Only this file knows SQLSTATEs, and `NegotiatedSocket.ts`, which reads the answer of
 * the server before the driver does.
 */
import * as Effect from "effect/Effect"
import { flow } from "effect/Function"
import * as Predicate from "effect/Predicate"
import * as Schedule from "effect/Schedule"
import { isSqlError, type SqlError } from "effect/sql/SqlError"
import { Conflict, Unavailable } from "../domain/Errors.ts"

/** The SQLSTATE, or the error code of the operating system (`ECONNREFUSED`), if the failure has one. */
export const errorCode = (error: SqlError): string | undefined =>
  Predicate.hasProperty(error.reason.cause, "code") && typeof error.reason.cause.code === "string"
    ? error.reason.cause.code
    : undefined

const hasCode = (error: SqlError, codes: RegExp): boolean => codes.test(errorCode(error) ?? "")

/** A parameter is not a valid value of its type (class 22). */
export const isDataException = (error: SqlError): boolean => hasCode(error, /^22/)

/** The role lacks a right. */
export const isForbidden = (error: SqlError): boolean => hasCode(error, /^42501/)

/** The session does not know the prepared statement. */
export const isUnknownStatement = (error: SqlError): boolean => hasCode(error, /^26000/)

/** The database does not exist. */
export const isUnknownDatabase = (error: SqlError): boolean => hasCode(error, /^3D000/)

/** The server does not accept the role or its password (class 28). */
export const isRefusedRole = (error: SqlError): boolean =>
  error.reason._tag === "AuthenticationError" || hasCode(error, /^28/)

/** Serialization failure or deadlock: the server rolled back because of concurrent transactions. */
const isConcurrencyConflict = (error: SqlError): boolean => hasCode(error, /^(40001|40P01)$/)

/** The connection could not be opened, so no statement was sent. The server may be starting, stopping, or full. */
const isConnectFailure = (error: SqlError): boolean =>
  error.reason.operation === "connect" && error.reason._tag !== "AuthenticationError"

/** The connection ended while the statement ran, or the server shut down. The statement may or may not have committed. */
const isConnectionLost = (error: SqlError): boolean =>
  !isConnectFailure(error) && (error.reason._tag === "ConnectionError" || hasCode(error, /^(08|40003|57P0)/))

/** The database is a standby, or read-only by its settings. */
const isReadOnly = (error: SqlError): boolean => hasCode(error, /^25006/)

/**
 * Failures that end without a change of the program: 53 resources, 25P02 statement in a failed transaction of the host,
 * 25P03 and 25P04 transaction timeouts, 55P03 lock timeout, 57014 statement timeout. The database may not be created yet.
 */
const isTransient = (error: SqlError): boolean =>
  isConnectFailure(error) ||
  error.reason._tag === "AuthenticationError" ||
  isUnknownDatabase(error) ||
  hasCode(error, /^(53|25P02|25P03|25P04|55P03|57014)/)

/** The statement itself made the server roll back. Other statements on the same database may succeed. */
export const isStatementFailure = (error: SqlError): boolean =>
  !isConnectFailure(error) && !isConnectionLost(error) && !isReadOnly(error) && !hasCode(error, /^(53|3D000|28)/)

/** Retries with exponential backoff. The pauses of five retries take about a third of a second in total. */
const retryWhen =
  (
    times: number,
    isRetryable: (error: SqlError) => boolean,
    isRetryableError: (error: unknown) => boolean = () => false
  ) =>
  <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.catch(self, (error) => {
      const mayRepeat = (error: E) => (isSqlError(error) ? isRetryable(error) : isRetryableError(error))
      if (!mayRepeat(error)) return Effect.fail(error)
      // `Effect.retry` costs 4 µs even without a failure, so it is set up only after the first one.
      const attempts = [Effect.fail(error)]
      return Effect.retry(
        Effect.suspend((): Effect.Effect<A, E, R> => attempts.pop() ?? self),
        { while: mayRepeat, times, schedule: Schedule.jittered(Schedule.exponential("10 millis")) }
      )
    })

/** Two retries only: an unreachable database rarely returns within milliseconds, and each attempt costs 0.5 ms of CPU. */
const retryConnect = retryWhen(2, isConnectFailure)

/** Retries a read also after a lost connection, because a read has no effect. */
export const retryRead = flow(
  retryConnect,
  retryWhen(5, (error) => isConcurrencyConflict(error) || isConnectionLost(error))
)

/** Retries a write that was never sent or was rolled back. A write with an unknown outcome is not retried. */
export const retryWrite = flow(retryConnect, retryWhen(5, isConcurrencyConflict))

const isConcurrentWrites = (error: unknown): boolean =>
  error instanceof Conflict && error.reason === "concurrent-writes"

/** Retries a transaction. Its statements have already turned concurrency failures into `Conflict`. */
export const retryTransaction = flow(retryConnect, retryWhen(5, isConcurrencyConflict, isConcurrentWrites))

/** An `Unavailable` with the driver's error as `cause`. The property is not enumerable, so it is never encoded. */
export const unavailable = (fields: ConstructorParameters<typeof Unavailable>[0], cause: unknown): Unavailable =>
  Object.defineProperty(new Unavailable(fields), "cause", { value: cause })

/** The tables or functions that the statements use do not exist. The operator has to migrate. */
class SchemaMissing extends Error {
  override readonly name = "SchemaMissing"
  override readonly message =
    'The tables are missing, or belong to another release; run `Migrations.up` or "todo-admin migrate up"'
}

/** 3F000 no such schema, 42703 column, 42883 function, 42P01 table. */
const schemaMissing = /^(3F000|42703|42883|42P01)/

/** Turns a driver error into `Unavailable`, or into a defect if it is permanent. */
const classify =
  (toDefect: (error: SqlError) => Error) =>
  <A, E, R>(self: Effect.Effect<A, E | SqlError, R>): Effect.Effect<A, Exclude<E, SqlError> | Unavailable, R> =>
    Effect.catch(self, (error): Effect.Effect<never, Exclude<E, SqlError> | Unavailable> => {
      if (!isSqlError(error)) return Effect.fail(error as Exclude<E, SqlError>)
      if (isConnectionLost(error)) return Effect.fail(unavailable({ outcome: "unknown" }, error))
      if (isReadOnly(error)) return Effect.fail(unavailable({ outcome: "not-applied", reason: "read-only" }, error))
      return isTransient(error) || isConcurrencyConflict(error)
        ? Effect.fail(unavailable({ outcome: "not-applied" }, error))
        : Effect.die(toDefect(error))
    })

/** Turns transient driver errors into `Unavailable`. All others are defects. */
export const toUnavailable = classify((error) => error)

/** For statements of this package alone: a missing table or function means that the schema was not migrated. */
const toUnavailableOrSchemaMissing = classify((error) =>
  hasCode(error, schemaMissing) ? new SchemaMissing(undefined, { cause: error }) : error
)

/** If the connection is lost in a transaction, the rollback fails as a defect. This turns the defect into a failure. */
const connectionLossAsFailure = <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E | SqlError, R> =>
  Effect.catchDefect(self, (defect) => (isSqlError(defect) ? Effect.fail(defect) : Effect.die(defect)))

/** `toUnavailable` for a transaction. */
export const toUnavailableTransaction = <A, E, R>(self: Effect.Effect<A, E | SqlError, R>) =>
  toUnavailable(connectionLossAsFailure(self))

/** How a statement fails before it is classified: a driver error, or `Unavailable` from the connection queue. */
export type StatementError = SqlError | Unavailable

/** Classifies the failure of a read. A read has no effect, so the outcome is always `not-applied`. */
export const toReadError = <A, R>(self: Effect.Effect<A, StatementError, R>): Effect.Effect<A, Unavailable, R> =>
  Effect.mapError(toUnavailableOrSchemaMissing(self), ({ cause }) => unavailable({ outcome: "not-applied" }, cause))

/** Turns serialization failures and deadlocks into `Conflict`. */
const toConflict = <A, E, R>(self: Effect.Effect<A, E | SqlError, R>): Effect.Effect<A, E | SqlError | Conflict, R> =>
  Effect.catch(self, (error): Effect.Effect<never, E | SqlError | Conflict> =>
    Effect.fail(
      isSqlError(error) && isConcurrencyConflict(error) ? new Conflict({ reason: "concurrent-writes" }) : error
    )
  )

/** Classifies the failure of a write: `Conflict`, `Unavailable`, or a defect. */
export const toWriteError = <A, E, R>(self: Effect.Effect<A, E | SqlError, R>) =>
  toUnavailableOrSchemaMissing(toConflict(self))

/** Classifies the failure of a transaction, which may contain statements of the host. */
export const toTransactionError = <A, E, R>(self: Effect.Effect<A, E | SqlError, R>) =>
  toUnavailable(toConflict(connectionLossAsFailure(self)))
