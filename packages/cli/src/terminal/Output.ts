/**
 * stdout carries data and nothing else: JSON as the core has it, or a drawing for people.
 */
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import * as Terminal from "effect/Terminal"
import * as GlobalFlag from "effect/cli/GlobalFlag"
import { TerminalCapabilities } from "effect/cli/TerminalCapabilities"
import { boolean } from "../flags/Flags.ts"
import type { Screen } from "../views/Table.ts"

/** `--json`, on every command. */
export const Json = GlobalFlag.Setting("json")({ flag: boolean("json", "Print JSON instead of what people read") })

/** `--quiet`, on every command. */
export const Quiet = GlobalFlag.Setting("quiet")({
  flag: boolean("quiet", "Say nothing but errors: no remarks, no progress")
})

/** Prints `data`: with `--json` as it is, else as `render` shows it. */
export const printResult = <A>(data: A, render: (data: A, screen: Screen) => string) =>
  Effect.gen(function* () {
    const text = (yield* Json) ? json(data) : render(data, yield* screen)
    if (text !== "") yield* writeStdout(`${text}\n`)
  })

/**
 * Prints each as soon as it is there: with `--json` as a line of JSON, else as `render`
 * shows it. Fails once nobody reads on.
 */
export const printStream = <A, E, R>(stream: Stream.Stream<A, E, R>, render: (data: A, screen: Screen) => string) =>
  Effect.gen(function* () {
    const asJson = yield* Json
    const target = yield* screen
    const stdio = yield* Stdio.Stdio
    yield* stream.pipe(
      Stream.map((data) => `${asJson ? json(data, 0) : render(data, target)}\n`),
      Stream.run(stdio.stdout())
    )
  })

/** To stdout; fails where that takes no more, as on a disk that is full. */
const writeStdout = (text: string) =>
  Effect.flatMap(Stdio.Stdio, (stdio) => Stream.run(Stream.succeed(text), stdio.stdout()))

/** JSON escapes the control characters of ASCII by itself; those above, terminals obey as well. */
const json = (data: unknown, indent = 2): string =>
  JSON.stringify(data, null, indent).replace(/[\u007F-\u009F]/g, (char) => `\\u00${char.charCodeAt(0).toString(16)}`)

/** What a person should know, whatever stdout is for. */
export const printNotice = (message: string) => Effect.flatMap(noticePrinter, (print) => print(message))

/** A remark for the person who reads the drawing; the document says it by itself. */
export const printInfo = (message: string) => Effect.flatMap(infoPrinter, (print) => print(message))

const discard = () => Effect.void

/** `notice`, for what knows nothing of flags. */
export const noticePrinter = Effect.map(Quiet, (quiet) => (quiet ? discard : printError))

/** `remark`, likewise. */
export const infoPrinter = Effect.flatMap(Json, (json) => (json ? Effect.succeed(discard) : noticePrinter))

/** Tells the person, on stderr, of an error. */
export const printError = (message: string): Effect.Effect<void> => Console.error(message)

const screen = Effect.gen(function* () {
  const terminal = yield* Terminal.Terminal
  const { canColor } = yield* TerminalCapabilities
  const isTerminal = yield* (yield* Stdio.Stdio).stdoutIsTerminal
  const columns = yield* terminal.columns
  return { width: isTerminal && columns > 0 ? columns : undefined, colour: canColor }
})
