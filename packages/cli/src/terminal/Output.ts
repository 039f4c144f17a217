/**
 * Prints results to stdout, as JSON or rendered for people, and messages to stderr.
 */
import * as Cause from "effect/Cause"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { PlatformError } from "effect/PlatformError"
import * as Predicate from "effect/Predicate"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import { Json, Quiet } from "../flags/GlobalFlags.ts"
import { type Screen, screen } from "./Screen.ts"

/** Prints `data` to stdout: as JSON with `--json`, else rendered by `render`. */
export const printResult = <A>(data: A, render: (data: A, screen: Screen) => string) =>
  Effect.gen(function* () {
    const text = (yield* Json) ? json(data) : render(data, yield* screen)
    if (text !== "") yield* writeStdout(`${text}\n`)
  })

/**
 * Prints each item as it arrives: as one line of JSON with `--json`, else rendered by `render`. Fails when the reader
 * closes the pipe.
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

/** Whether the reader closed the pipe of stdout, as `head` does. That is a normal end of the program. */
export const isBrokenPipe = (cause: Cause.Cause<unknown>): boolean => {
  const error = Cause.squash(cause)
  return error instanceof PlatformError && Predicate.hasProperty(error.cause, "code") && error.cause.code === "EPIPE"
}

/** Fails if stdout cannot be written, for example when the disk is full. */
const writeStdout = (text: string) =>
  Effect.flatMap(Stdio.Stdio, (stdio) => Stream.run(Stream.succeed(text), stdio.stdout()))

/** `JSON.stringify` escapes only the control characters of ASCII. Terminals obey those of Latin-1 as well. */
const json = (data: unknown, indent = 2): string =>
  JSON.stringify(data, null, indent).replace(/[\u007F-\u009F]/g, (char) => `\\u00${char.charCodeAt(0).toString(16)}`)

/** Prints a message to stderr, unless `--quiet`. */
export const printNotice = (message: string) => Effect.flatMap(noticePrinter, (print) => print(message))

/** Prints a message to stderr, unless `--quiet` or `--json`: the JSON contains the same information. */
export const printInfo = (message: string) => Effect.flatMap(infoPrinter, (print) => print(message))

const discard = () => Effect.void

/** The function behind `printNotice`, for code of the core that knows no flags. */
export const noticePrinter = Effect.map(Quiet, (quiet) => (quiet ? discard : printError))

/** Like `noticePrinter`, and also silent with `--json`. */
export const infoPrinter = Effect.flatMap(Json, (json) => (json ? Effect.succeed(discard) : noticePrinter))

/** Prints a line to stderr, always. */
export const printError = (message: string): Effect.Effect<void> => Console.error(message)
