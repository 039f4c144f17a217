/**
 * Shows the progress of long work: a line on stderr that is redrawn, and erased when the work ends.
 */
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import * as Terminal from "effect/Terminal"
import { Json, Quiet } from "../flags/GlobalFlags.ts"
import { fit, oneLine } from "./TerminalText.ts"

const erase = "\r\u001B[K"

/** The assumed width of a terminal that does not tell its width. */
const defaultWidth = 40

/**
 * Runs `use`, which calls `advance` with the number of items that it has finished. Shows a bar if `total` is known, else a
 * count. Shows nothing with `--quiet` or `--json`, or if stderr is not a terminal. Other lines on stderr appear above.
 */
export const withProgress = Effect.fnUntraced(function* <A, E, R>(
  title: string,
  total: number | undefined,
  use: (advance: (count: number) => Effect.Effect<void>) => Effect.Effect<A, E, R>
) {
  let done = 0
  const advance = (count: number) => Effect.sync(() => void (done += count))
  if (!(yield* isShown)) return yield* use(advance)

  const stdio = yield* Stdio.Stdio
  const terminal = yield* Terminal.Terminal
  const write = (text: string) => Effect.ignore(Stream.run(Stream.succeed(text), stdio.stderr()))
  const draw = Effect.flatMap(terminal.columns, (columns) =>
    write(erase + renderProgress(title, done, total, columns > 0 ? columns : defaultWidth))
  )
  const console = yield* Console.Console
  return yield* Effect.scoped(
    Effect.gen(function* () {
      yield* Effect.addFinalizer(() => write(erase))
      yield* Effect.forkScoped(Effect.repeat(draw, Schedule.spaced("100 millis")))
      return yield* use(advance)
    })
  ).pipe(
    Effect.provideService(Console.Console, {
      ...console,
      error: (...lines) => console.error(erase + lines.join(" "))
    })
  )
})

/** Progress is only for people at a terminal. */
const isShown = Effect.gen(function* () {
  if ((yield* Json) || (yield* Quiet)) return false
  return yield* (yield* Stdio.Stdio).stderrIsTerminal
})

const longestBar = 30

/** At least one cell narrower than the terminal, because some terminals start a new line after a full one. */
export const renderProgress = (title: string, done: number, total: number | undefined, width: number): string => {
  const name = oneLine(title)
  const count = done.toLocaleString("en")
  if (total === undefined) return fit(`${name} ${count}`, width - 1).trimEnd()
  const all = total.toLocaleString("en")
  // Padded to its final width, so that the bar keeps its length.
  const end = ` ${count.padStart(all.length)} of ${all}`
  const room = Math.min(longestBar, width - 1 - name.length - 1 - end.length)
  const filled = Math.floor(room * Math.min(1, total === 0 ? 1 : done / total))
  const bar = room < 4 ? "" : ` ${"█".repeat(filled)}${"░".repeat(room - filled)}`
  return fit(`${name}${bar}${end}`, width - 1).trimEnd()
}
