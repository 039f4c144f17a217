/**
 * Reports failures of the server. Every response with a status of 500 or above leaves one log line with its cause and the
 * request id that the client got.
 */
import { Database } from "@todo/core"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as ErrorReporter from "effect/ErrorReporter"
import { HttpApiError } from "effect/http-api"
import { isHttpServerError } from "effect/http/HttpServerError"
import * as Predicate from "effect/Predicate"
import { isSqlError } from "effect/sql/SqlError"
import { RequestInfo } from "./RequestInfo.ts"

/** Whether the client did not send its whole body. */
const isCutOff = (defect: unknown): boolean => isHttpServerError(defect) && defect.reason._tag === "RequestParseError"

/** Whether a failure is the server's: a defect, a response that breaks the contract, or an unavailable database. */
const isOurs = (reason: Cause.Reason<unknown>): boolean =>
  (Cause.isDieReason(reason) && !isCutOff(reason.defect)) ||
  (Cause.isFailReason(reason) &&
    (HttpApiError.HttpApiSchemaError.is(reason.error) || Predicate.isTagged(reason.error, "Unavailable")))

/** Errors of the JavaScript engine. Their messages quote the offending value. */
const isOfEngine = (error: Error): boolean =>
  error instanceof TypeError || error instanceof SyntaxError || error instanceof RangeError

/** Whether the cause of an error is safe to report. Only our own errors with a cause from the database are. */
const hasSafeCause = (error: Error): boolean =>
  error.cause !== undefined && (Predicate.isTagged(error, "Unavailable") || error.name === "SchemaMissing")

/** The parts of an error that are safe to store. They contain no values of rows. */
export interface ReportedError {
  /** The name of its class; of a database error, its kind. */
  readonly name: string
  /** Its message, if that contains no data of users. */
  readonly message?: string | undefined
  /** Its stack trace. */
  readonly stack?: string
  /** The SQLSTATE of PostgreSQL, or the error code of the system (`ECONNREFUSED`). */
  readonly sqlState?: string | undefined
  /** The constraint that a row violated. */
  readonly constraint?: string | undefined
  /** The source function of PostgreSQL that raised it. */
  readonly routine?: string | undefined
  /** Its cause: of `Unavailable`, the error of the database or the network. */
  readonly cause?: ReportedError
}

/**
 * The parts of an error that are safe to store. Other fields of a PostgreSQL error quote rows, so only its state and
 * constraint are kept, and its message if no connection was made. Of an error of the JavaScript engine only the name and
 * the stack frames are kept.
 */
export const describe = (error: unknown): ReportedError => {
  if (isSqlError(error)) {
    const cause: unknown = error.reason.cause
    const field = (name: string) =>
      Predicate.hasProperty(cause, name) && typeof cause[name] === "string" ? cause[name] : undefined
    const hint = Database.connectionHint(error)
    const message = error.reason.operation === "connect" ? field("message") : undefined
    return {
      name: error.reason._tag,
      message: hint === undefined ? message : `${message}; ${hint}`,
      sqlState: field("code"),
      constraint: field("constraint"),
      routine: field("routine")
    }
  }
  if (!(error instanceof Error)) return { name: typeof error }
  const { message, name, stack = "" } = error
  if (hasSafeCause(error)) return { name, message, stack, cause: describe(error.cause) }
  if (!isOfEngine(error)) return { name, message, stack }
  const [, ...places] = stack.split(/\n\s+(?=at )/)
  return { name, stack: places.join("\n") }
}

/** The failures of one request. */
export interface Report {
  /** The id of the request, as in the log and in the `X-Request-Id` of the response. */
  readonly requestId: string
  /** The failures without values of rows, safe to store. */
  readonly errors: ReadonlyArray<ReportedError>
  /** The full cause. PostgreSQL errors in it contain values of rows. */
  readonly cause: Cause.Cause<unknown>
}

/** The error tracker of the host. It is called with every report; an exception that it throws is logged. */
export class ErrorTracker extends Context.Reference<(report: Report) => void>("@todo/http/ErrorTracker", {
  defaultValue: () => () => {}
}) {}

/** Logs each failure once, and passes it to the `ErrorTracker`. */
export const layer = ErrorReporter.layer(
  [
    ErrorReporter.make(({ cause, fiber }) => {
      const { id } = fiber.getRef(RequestInfo)
      const errors = cause.reasons
        .filter(isOurs)
        .map((reason) =>
          describe(Cause.isFailReason(reason) ? reason.error : Cause.isDieReason(reason) && reason.defect)
        )
      if (errors.length === 0) return
      const log = (message: string, errors: ReadonlyArray<ReportedError>) =>
        Effect.runForkWith(fiber.context)(Effect.annotateLogs(Effect.logError(message), { requestId: id, errors }))
      log("request failed", errors)
      try {
        fiber.getRef(ErrorTracker)({ requestId: id, errors, cause })
      } catch (error) {
        // The client is waiting, so an exception of the host must not fail the request.
        log("the error tracker failed", [describe(error)])
      }
    })
  ],
  { mergeWithExisting: true }
)
