import { styleText } from "node:util"
import * as Effect from "effect/Effect"
import * as Stdio from "effect/Stdio"
import * as Terminal from "effect/Terminal"
import { TerminalCapabilities } from "effect/cli/TerminalCapabilities"

/** The terminal, file or pipe that output is rendered for. */
export interface Screen {
  /** In cells; without one (a file, a pipe) nothing is cut. */
  readonly width: number | undefined
  readonly colour: boolean
}

/** The screen behind stdout. */
export const screen = Effect.gen(function* () {
  const terminal = yield* Terminal.Terminal
  const { canColor } = yield* TerminalCapabilities
  const isTerminal = yield* (yield* Stdio.Stdio).stdoutIsTerminal
  const columns = yield* terminal.columns
  return { width: isTerminal && columns > 0 ? columns : undefined, colour: canColor } satisfies Screen
})

export type Style = Parameters<typeof styleText>[0]

/** Styles text if the screen has colour. */
export const styled = (screen: Screen, format: Style, text: string): string =>
  screen.colour ? styleText(format, text, { validateStream: false }) : text
