/**
 * The command tree. Each noun (todo, list, user) has a file in `commands/`.
 */
import * as Console from "effect/Console"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"
import * as CliConfig from "effect/cli/CliConfig"
import type { InvalidValue, NonShowHelpErrors, UnknownSubcommand, UnrecognizedOption } from "effect/cli/CliError"
import * as CliOutput from "effect/cli/CliOutput"
import * as Command from "effect/cli/Command"
import * as GlobalFlag from "effect/cli/GlobalFlag"
import type { HelpDoc } from "effect/cli/HelpDoc"
import { changes } from "./commands/changes.ts"
import { doctor } from "./commands/doctor.ts"
import { list } from "./commands/list.ts"
import { migrate } from "./commands/migrate.ts"
import { purge } from "./commands/purge.ts"
import { stats } from "./commands/stats.ts"
import { todo } from "./commands/todo.ts"
import { token } from "./commands/token.ts"
import { user } from "./commands/user.ts"
import { flagsOf } from "./flags/DashedArguments.ts"
import { Debug, globalFlags } from "./flags/GlobalFlags.ts"
import { printError } from "./terminal/Output.ts"
import { oneLine } from "./terminal/TerminalText.ts"

/** Whether `--debug` was given. `main.ts` prints errors outside of the command that parses the flag, so it reads this. */
export class DebugState extends Context.Service<DebugState, Ref.Ref<boolean>>()("@todo/cli/DebugState") {
  static readonly layer = Layer.effect(DebugState, Ref.make(false))
}

export const todoAdmin = Command.make("todo-admin").pipe(
  Command.withDescription(
    "Operate the todo database in DATABASE_URL. Without DATABASE_URL, use the embedded development database.\n" +
      "  Exit codes: 0 done, 1 failed, 2 usage, 3 not found, 4 conflict, 5 database unreachable, 6 check found problems, 130 interrupted"
  ),
  Command.withSubcommands([todo, list, changes, user, purge, stats, migrate, doctor, token]),
  Command.provideEffectDiscard(
    Effect.gen(function* () {
      yield* Ref.set(yield* DebugState, yield* Debug)
    })
  ),
  Command.withGlobalFlags(globalFlags),
  Command.withExamples([
    { command: "todo-admin migrate up", description: "Create the schema" },
    { command: "todo-admin doctor", description: "Check settings and database" },
    { command: 'todo-admin todo add --user alice "Buy milk"' },
    { command: "source <(todo-admin --completions bash)", description: "Turn on completions in this shell" }
  ])
)

/** Tells how to write a value that begins with a dash. */
const dashHint = ({ args = [] }: HelpDoc, error: NonShowHelpErrors | undefined): string => {
  if (error?._tag === "UnrecognizedOption" && args.length > 0) return `; write text that begins with a dash after --`
  const isMissing = error?._tag === "InvalidValue" && error.kind === "flag" && error.value === ""
  return isMissing ? `; for a value that begins with a dash, write --${error.option}=VALUE` : ""
}

/**
 * Why a value is refused: `--limit must be a whole number from 1 to 200`. Our schemas say `must be …`. The library says
 * `"trash" | "keep"` for choices, `Expected "true" | "yes"` for booleans, and `at most 1 value` for repeated flags.
 */
const refusal = ({ expected, kind, option, value }: InvalidValue): string => {
  const name = kind === "flag" ? `--${option}` : `<${option}>`
  const rule = expected.replace("Expected ", "").replaceAll('"', "").replaceAll(" | ", ", ")
  if (rule.startsWith("must ")) return `${name} ${rule}`
  if (kind === "flag" && value === "") return `${name} needs a value: ${rule}`
  return rule.startsWith("at ") ? `${name} takes ${rule}` : `${name} must be one of ${rule}`
}

/** What is wrong with the arguments. */
const messageOf = (error: NonShowHelpErrors | undefined): string => {
  switch (error?._tag) {
    case "InvalidValue":
      return refusal(error)
    case "MissingOption":
      return `--${error.option} is required`
    case "MissingArgument":
      return `${error.argument} is required`
    case "UnknownSubcommand":
      return `unknown command "${error.subcommand}"${didYouMean(error)}`
    case "UnrecognizedOption":
      return `unknown flag ${error.option}${didYouMean(error)}`
    default:
      return error?.message ?? ""
  }
}

const didYouMean = ({ suggestions }: UnknownSubcommand | UnrecognizedOption): string =>
  suggestions.length === 0 ? "" : `; did you mean ${suggestions.join(" or ")}`

/** Prints requested help to stdout, and invalid usage as one line on stderr. */
const presenter = CliOutput.layerPresenter({
  present: (event) => {
    if (event._tag === "InvalidInvocation") {
      // Only the first error: later ones are often caused by it.
      const [error] = event.errors
      const message = `${messageOf(error)}${dashHint(event.helpDoc, error)}`
      return printError(`todo-admin: ${oneLine(message)}; see "${event.commandPath.join(" ")} --help"`)
    }
    if (event._tag === "Help" && event.reason === "Implicit" && event.commandPath.length > 1) {
      const verbs = event.helpDoc.subcommands?.flatMap(({ commands }) => commands.map(({ name }) => name)) ?? []
      return printError(`todo-admin: ${event.commandPath.slice(1).join(" ")} needs a verb: one of ${verbs.join(", ")}`)
    }
    return event._tag === "Version" ? Console.log(event.version) : CliOutput.defaultPresenter.present(event)
  }
})

// `--wizard` is left out because it writes to stdout, `--log-level` because nothing is logged.
const builtIns = [GlobalFlag.Help, GlobalFlag.Version, GlobalFlag.Completions]

/** All flags of `todo-admin`. */
export const flags = flagsOf(todoAdmin, [...globalFlags, ...builtIns])

export const layer = Layer.mergeAll(presenter, CliConfig.layer({ builtIns }), DebugState.layer)
