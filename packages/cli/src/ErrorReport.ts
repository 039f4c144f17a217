/** Reports why a command failed: as one line with a hint for people, and as a documented exit code for scripts. */
import { explain } from "@todo/core/domain"
import { settingMessage } from "@todo/core/installation"
import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import * as Predicate from "effect/Predicate"
import { ShowHelp } from "effect/cli/CliError"
import type * as Command from "effect/cli/Command"
import { isSqlError } from "effect/sql/SqlError"
import { isBrokenPipe } from "./terminal/Output.ts"
import { oneLine } from "./terminal/TerminalText.ts"
import type { todoAdmin } from "./TodoAdmin.ts"

/** All errors that commands can fail with. */
type Failure = Command.Error<typeof todoAdmin>

interface Report {
  readonly code: number
  readonly hint?: string
}

/** By tag, so a command with a new error does not compile until the error has an exit code. */
const reports = {
  ConfigError: { code: 1 },
  ConfirmationDeclined: { code: 1 },
  DataDirectoryError: { code: 1 },
  EncodingUnsupported: { code: 1 },
  IdempotencyKeyInUse: { code: 1 },
  IdempotencyKeyReused: { code: 1 },
  InvalidDatabaseUrl: { code: 1 },
  MigrationFailed: { code: 1, hint: "fix the cause and run the command again" },
  NotTheOwner: { code: 1, hint: "set TODO_MIGRATE_URL to connect as that role" },
  PlatformError: { code: 1 },
  QuitError: { code: 1 },
  ReadOnly: { code: 1, hint: "connect to the primary, or allow writes on this server (default_transaction_read_only)" },
  SchemaForbidden: { code: 1 },
  SchemaMismatch: { code: 1 },
  SettingsConflict: { code: 1 },
  SourceError: { code: 1 },
  UserDisabled: { code: 1 },
  WriteRefused: { code: 1 },
  Usage: { code: 2 },
  InvalidInput: { code: 2 },
  InvalidCursor: { code: 2, hint: "or give the same user and flags as in the command that printed the cursor" },
  ImportInvalid: { code: 2 },
  TodoNotFound: {
    code: 3,
    hint: '"todo-admin todo list" prints the todos of the user, with --trash those in the trash'
  },
  ListNotFound: {
    code: 3,
    hint: '"todo-admin list list" prints the lists of the user, with --trash those in the trash'
  },
  UserNotFound: { code: 3, hint: '"todo-admin user list" prints the users' },
  CursorExpired: { code: 3 },
  RevisionMismatch: { code: 4, hint: "read it again, and repeat the change with that revision" },
  Conflict: { code: 4 },
  ListNotEmpty: { code: 4, hint: "add --todos trash or --todos keep" },
  ImportConflict: {
    code: 4,
    hint: "add --merge to merge the file and the data, with --dry-run to see the result first"
  },
  Unavailable: { code: 5, hint: 'run "todo-admin doctor" to see why' },
  SqlError: { code: 5, hint: 'run "todo-admin doctor" to see why' },
  EmbeddedPostgresError: { code: 5 },
  ProblemsFound: { code: 6 }
} satisfies Record<Failure["_tag"] | "ReadOnly", Report>

const isFailure = (error: unknown): error is Failure =>
  Predicate.hasProperty(error, "_tag") && Object.hasOwn(reports, String(error._tag))

/** A read-only database is reachable and a retry does not help, so it has a report of its own. */
const reportOf = (failure: Failure): Report =>
  failure._tag === "Unavailable" && failure.reason === "read-only" ? reports.ReadOnly : reports[failure._tag]

/** The exit code of a run. */
export const exitCode = (exit: Exit.Exit<unknown, unknown>): number => {
  if (Exit.isSuccess(exit)) return 0
  if (Cause.hasInterruptsOnly(exit.cause)) return 130
  if (isBrokenPipe(exit.cause)) return 0
  const error = Cause.squash(exit.cause)
  // `todo-admin todo` without a verb is an error. `todo-admin` alone asks for help.
  if (error instanceof ShowHelp) return error.errors.length > 0 || error.commandPath.length > 1 ? 2 : 0
  return isFailure(error) && !hasDefect(exit.cause) ? reportOf(error).code : 1
}

/** The line for stderr; `undefined` if nothing is to be printed, or help has been printed. */
export const errorLine = (cause: Cause.Cause<unknown>): string | undefined => {
  const error = Cause.squash(cause)
  if (Cause.hasInterruptsOnly(cause) || isBrokenPipe(cause) || error instanceof ShowHelp) return undefined
  return `todo-admin: ${oneLine(isFailure(error) && !hasDefect(cause) ? failureLine(error) : defectLine(error))}`
}

const hasDefect = (cause: Cause.Cause<unknown>): boolean => cause.reasons.some(Cause.isDieReason)

const failureLine = (failure: Failure): string => {
  const { hint } = reportOf(failure)
  const message = lowerFirst(messageOf(failure))
  return hint === undefined ? message : `${message}; ${hint}`
}

const messageOf = (failure: Failure): string => {
  switch (failure._tag) {
    case "ConfigError":
      return settingMessage(failure)
    case "InvalidInput":
      return failure.errors.map(explain).join("; ")
    case "PlatformError": {
      const { cause } = failure.reason
      return cause instanceof Error ? cause.message : failure.message
    }
    case "RevisionMismatch":
      return failure.current === null ? failure.message : `The revision is ${failure.current} now`
    default:
      return failure.message
  }
}

/** The line of an unexpected error. The operator can grant a missing right; anything else is a bug in this program. */
const defectLine = (error: unknown): string => {
  if (isSqlError(error)) {
    const { cause } = error.reason
    const reason = cause instanceof Error ? cause.message : error.reason._tag
    return error.reason._tag === "AuthorizationError"
      ? `${reason}; run "todo-admin doctor" to see which right the role lacks`
      : `the database refused a statement: ${reason}; add --debug to see which`
  }
  return `internal error: ${error instanceof Error ? error.message : String(error)}; add --debug to see where`
}

const lowerFirst = (text: string): string =>
  /^[A-Z][^A-Z]/.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text
