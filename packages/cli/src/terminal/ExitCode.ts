/** Turns an error into one line with a hint for people, and into a documented exit code for scripts. */
import { explain, type InvalidInput } from "@todo/core/domain"
import { settingMessage } from "@todo/core/installation"
import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import { PlatformError } from "effect/PlatformError"
import * as Predicate from "effect/Predicate"
import { ShowHelp } from "effect/cli/CliError"
import { isSqlError } from "effect/sql/SqlError"
import { oneLine } from "./TerminalText.ts"

const exitCodes: Record<string, number> = {
  Usage: 2,
  InvalidInput: 2,
  InvalidCursor: 2,
  ImportInvalid: 2,
  TodoNotFound: 3,
  ListNotFound: 3,
  UserNotFound: 3,
  CursorExpired: 3,
  RevisionMismatch: 4,
  Conflict: 4,
  ListNotEmpty: 4,
  ImportConflict: 4,
  Unavailable: 5,
  SqlError: 5,
  EmbeddedPostgresError: 5,
  ProblemsFound: 6
}

const hints: Record<string, string> = {
  TodoNotFound: '"todo-admin todo list" prints the todos of the user, with --trash those in the trash',
  ListNotFound: '"todo-admin list list" prints the lists of the user, with --trash those in the trash',
  ListNotEmpty: "add --todos trash or --todos keep",
  UserNotFound: '"todo-admin user list" prints the users',
  NotTheOwner: "set TODO_MIGRATE_URL to connect as that role",
  InvalidCursor: "or give the same user and flags as in the command that printed the cursor",
  RevisionMismatch: "read it again, and repeat the change with that revision",
  Unavailable: 'run "todo-admin doctor" to see why',
  ReadOnly: "connect to the primary, or allow writes on this server (default_transaction_read_only)",
  SqlError: 'run "todo-admin doctor" to see why',
  ImportConflict: "add --merge to merge the file and the data, with --dry-run to see the result first",
  MigrationFailed: "fix the cause and run the command again"
}

/** The exit code of a run. */
export const exitCode = (exit: Exit.Exit<unknown, unknown>): number => {
  if (Exit.isSuccess(exit)) return 0
  if (Cause.hasInterruptsOnly(exit.cause)) return 130
  if (isBrokenPipe(exit.cause)) return 0
  const error = Cause.squash(exit.cause)
  // `todo-admin todo` without a verb is an error. `todo-admin` alone asks for help.
  if (error instanceof ShowHelp) return error.errors.length > 0 || error.commandPath.length > 1 ? 2 : 0
  if (hasDefect(exit.cause)) return 1
  return Predicate.hasProperty(error, "_tag") ? (exitCodes[kindOf(error)] ?? 1) : 1
}

/** A read-only database is reachable and a retry does not help, so it is not `Unavailable`. */
const kindOf = (error: { readonly _tag: unknown }): string =>
  Predicate.hasProperty(error, "reason") && error.reason === "read-only" ? "ReadOnly" : String(error._tag)

/** The line for stderr; `undefined` if nothing is to be printed, or help has been printed. */
export const errorLine = (cause: Cause.Cause<unknown>): string | undefined => {
  const error = Cause.squash(cause)
  if (Cause.hasInterruptsOnly(cause) || isBrokenPipe(cause) || error instanceof ShowHelp) return undefined
  return `todo-admin: ${oneLine(hasDefect(cause) ? defectMessage(error) : expectedMessage(error))}`
}

/** Whether the reader closed the pipe of stdout, as `head` does. That is a normal end of the program. */
export const isBrokenPipe = (cause: Cause.Cause<unknown>): boolean => {
  const error = Cause.squash(cause)
  return error instanceof PlatformError && Predicate.hasProperty(error.cause, "code") && error.cause.code === "EPIPE"
}

const hasDefect = (cause: Cause.Cause<unknown>): boolean => cause.reasons.some(Cause.isDieReason)

const expectedMessage = (error: unknown): string => {
  if (!(Predicate.hasProperty(error, "_tag") && Predicate.hasProperty(error, "message"))) return defectMessage(error)
  const hint = hints[kindOf(error)]
  const message = lowerFirst(messageOf(error))
  return hint === undefined ? message : `${message}; ${hint}`
}

const messageOf = (error: { readonly _tag: unknown; readonly message: unknown }): string => {
  switch (error._tag) {
    case "ConfigError": {
      return settingMessage(error as Parameters<typeof settingMessage>[0])
    }
    case "InvalidInput": {
      const { errors } = error as unknown as InvalidInput
      return errors.map(explain).join("; ")
    }
    case "PlatformError": {
      const { cause } = (error as PlatformError).reason
      return cause instanceof Error ? cause.message : String(error.message)
    }
    case "RevisionMismatch": {
      const { current } = error as unknown as { current: number | null }
      return current === null ? String(error.message) : `The revision is ${current} now`
    }
    default:
      return String(error.message)
  }
}

/** The message of an unexpected error. The operator can grant a missing right; anything else is a bug in this program. */
const defectMessage = (error: unknown): string => {
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
