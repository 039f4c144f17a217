/**
 * What a failure of the driver means to the caller: try again later, or a defect.
 */
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import { isSqlError, type SqlError } from "effect/sql/SqlError"
import { Unavailable } from "../domain/Errors.ts"

/** The SQLSTATE or the system's error code, where there is one. */
export const errorCode = (error: SqlError): string | undefined =>
  Predicate.hasProperty(error.reason.cause, "code") && typeof error.reason.cause.code === "string"
    ? error.reason.cause.code
    : undefined

/**
 * 08 connection, 53 resources, 25006 read only, 40001 and 40P01 serialisation, 55P03
 * lock timeout, 57014 statement timeout, 57P shutdown, 3D000 no such database yet.
 */
const transient = /^(08|53|25006|40001|40P01|55P03|57014|57P0|3D000)/

/** The server was told to stop: it may have committed before it said so. */
const interrupted = /^(08|57P0)/

const unavailable = (error: SqlError): Unavailable | undefined => {
  const code = errorCode(error)
  if (error.reason._tag === "AuthenticationError") return new Unavailable({ outcome: "not-applied" })
  if (error.reason._tag !== "ConnectionError" && !transient.test(code ?? "")) return undefined
  const mayHaveHappened =
    error.reason.operation !== "connect" && (error.reason._tag === "ConnectionError" || interrupted.test(code ?? ""))
  return new Unavailable({ outcome: mayHaveHappened ? "unknown" : "not-applied" })
}

/** Turns driver errors that pass by themselves into `Unavailable`; the others are defects. */
export const toUnavailable = <A, E, R>(
  self: Effect.Effect<A, E | SqlError, R>
): Effect.Effect<A, Exclude<E, SqlError> | Unavailable, R> =>
  Effect.catch(self, (error): Effect.Effect<never, Exclude<E, SqlError> | Unavailable> => {
    if (!isSqlError(error)) return Effect.fail(error as Exclude<E, SqlError>)
    const mapped = unavailable(error)
    return mapped === undefined ? Effect.die(error) : Effect.fail(mapped)
  })
