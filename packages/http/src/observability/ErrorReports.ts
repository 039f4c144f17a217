/**
 * What went wrong on our side, told to the operator: every answer from 500 on leaves one
 * line with its cause, found by the request id that the client got.
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
import { RequestInfo } from "../boundary/RequestInfo.ts"

/** A body that the client did not send to its end. */
const isCutOff = (defect: unknown): boolean => isHttpServerError(defect) && defect.reason._tag === "RequestParseError"

/** Our failures: defects, answers that break our own contract, and the database being away. */
const isOurs = (reason: Cause.Reason<unknown>): boolean =>
  (Cause.isDieReason(reason) && !isCutOff(reason.defect)) ||
  (Cause.isFailReason(reason) &&
    (HttpApiError.HttpApiSchemaError.is(reason.error) || Predicate.isTagged(reason.error, "Unavailable")))

/** Messages of JavaScript itself quote the value that they complain of. */
const isOfEngine = (error: Error): boolean =>
  error instanceof TypeError || error instanceof SyntaxError || error instanceof RangeError

/** Errors of ours whose cause is the database's. Those of others may repeat in it what nobody may read. */
const tellsWhy = (error: Error): boolean =>
  error.cause !== undefined && (Predicate.isTagged(error, "Unavailable") || error.name === "SchemaMissing")

/** What may be kept of an error: no values of rows. */
export interface ReportedError {
  /** Its class; of one of the database's, what kind it is. */
  readonly name: string
  /** Its text, where that holds nothing of users. */
  readonly message?: string | undefined
  /** Where it came about. */
  readonly stack?: string
  /** PostgreSQL's, or the system's (`ECONNREFUSED`). */
  readonly sqlState?: string | undefined
  /** The rule of the database that a row broke. */
  readonly constraint?: string | undefined
  /** PostgreSQL's own function that told it. */
  readonly routine?: string | undefined
  /** What led to it: of `Unavailable`, what the database or the network said. */
  readonly cause?: ReportedError
}

/**
 * What may be written down of an error. Of one of PostgreSQL's, the state and the
 * constraint: its other fields repeat rows, unless no connection came about. Of one of
 * JavaScript's, where it happened.
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
  if (tellsWhy(error)) return { name, message, stack, cause: describe(error.cause) }
  if (!isOfEngine(error)) return { name, message, stack }
  const [, ...places] = stack.split(/\n\s+(?=at )/)
  return { name, stack: places.join("\n") }
}

/** What went wrong in one request. */
export interface Report {
  /** What the client got as `X-Request-Id`, and the log has. */
  readonly requestId: string
  /** What may be kept: names, messages, states; no rows. */
  readonly errors: ReadonlyArray<ReportedError>
  /** All that is known. Errors of PostgreSQL repeat values of rows in it. */
  readonly cause: Cause.Cause<unknown>
}

/** Where a host's error tracker hooks in: it is handed every report. */
export class ErrorTracker extends Context.Reference<(report: Report) => void>("@todo/http/ErrorTracker", {
  defaultValue: () => () => {}
}) {}

/** Logs each cause once, and hands it to the `ErrorTracker`. */
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
      const log = (message: string, told: ReadonlyArray<ReportedError>) =>
        Effect.runForkWith(fiber.context)(
          Effect.annotateLogs(Effect.logError(message), { requestId: id, errors: told })
        )
      log("request failed", errors)
      try {
        fiber.getRef(ErrorTracker)({ requestId: id, errors, cause })
      } catch (error) {
        // Of the host, whose client is waiting for an answer.
        log("the error tracker failed", [describe(error)])
      }
    })
  ],
  { mergeWithExisting: true }
)
