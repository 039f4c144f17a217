/**
 * What a failure of the driver means to the caller: again by ourselves, again by the
 * caller, or a defect. The one place that knows SQLSTATEs.
 */
import * as Effect from "effect/Effect"
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

/** No connection came about: nothing was sent. */
const isUnconnected = (error: SqlError): boolean =>
  error.reason._tag === "ConnectionError" && error.reason.operation === "connect"

/** The connection ended while the statement was under way, or the server was told to stop: anything can be true. */
const isInterrupted = (error: SqlError): boolean =>
  (error.reason._tag === "ConnectionError" && !isUnconnected(error)) || hasCode(error, /^(08|57P0)/)

/** 53 resources, 25006 read only, 55P03 lock timeout, 57014 statement timeout, 3D000 no such database yet. */
const isPassing = (error: SqlError): boolean =>
  isUnconnected(error) || error.reason._tag === "AuthenticationError" || hasCode(error, /^(53|25006|55P03|57014|3D000)/)

/** At most five more attempts, with about a third of a second of pauses together. */
const again =
  (mayPass: (error: SqlError) => boolean) =>
  <A, R>(self: Effect.Effect<A, SqlError, R>): Effect.Effect<A, SqlError, R> =>
    Effect.retry(self, { while: mayPass, times: 5, schedule: Schedule.jittered(Schedule.exponential("10 millis")) })

/** Repeats a read after any failure that may pass, for it has no effect. */
export const retryRead = again((error) => isConcurrency(error) || isUnconnected(error) || isInterrupted(error))

/** Repeats a write that the server rolled back, or never got; one whose end is unknown is not repeated. */
export const retryWrite = again((error) => isConcurrency(error) || isUnconnected(error))

/** Turns driver errors that pass by themselves into `Unavailable`; the others are defects. */
export const toUnavailable = <A, E, R>(
  self: Effect.Effect<A, E | SqlError, R>
): Effect.Effect<A, Exclude<E, SqlError> | Unavailable, R> =>
  Effect.catch(self, (error): Effect.Effect<never, Exclude<E, SqlError> | Unavailable> => {
    if (!isSqlError(error)) return Effect.fail(error as Exclude<E, SqlError>)
    if (isInterrupted(error)) return Effect.fail(new Unavailable({ outcome: "unknown" }))
    return isPassing(error) || isConcurrency(error)
      ? Effect.fail(new Unavailable({ outcome: "not-applied" }))
      : Effect.die(error)
  })

/** For a transaction of ours: a connection that is lost in it ends it as a defect, since it cannot be rolled back. */
export const toUnavailableTransaction = <A, E, R>(self: Effect.Effect<A, E | SqlError, R>) =>
  toUnavailable(Effect.catchDefect(self, (defect) => (isSqlError(defect) ? Effect.fail(defect) : Effect.die(defect))))

/** The same for a read, of which nothing can have happened. */
export const toReadError = <A, R>(self: Effect.Effect<A, SqlError, R>): Effect.Effect<A, Unavailable, R> =>
  Effect.mapError(toUnavailable(self), () => new Unavailable({ outcome: "not-applied" }))

/** The same for a write, whose conflict with others has a name of its own. */
export const toWriteError = <A, R>(self: Effect.Effect<A, SqlError, R>): Effect.Effect<A, Unavailable | Conflict, R> =>
  toUnavailable(
    Effect.catch(self, (error): Effect.Effect<never, SqlError | Conflict> =>
      Effect.fail(isConcurrency(error) ? new Conflict({ reason: "concurrent-writes" }) : error)
    )
  )
