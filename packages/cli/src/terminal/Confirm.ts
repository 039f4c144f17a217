import * as Effect from "effect/Effect"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import * as Terminal from "effect/Terminal"
import * as Prompt from "effect/cli/Prompt"
import { ConfirmationDeclined, Usage } from "../errors/CommandError.ts"

/** Fails, before any work is done, if there is neither `--yes` nor a terminal to ask on. */
export const requireTerminalOrYes = Effect.fnUntraced(function* (yes: boolean) {
  const stdio = yield* Stdio.Stdio
  if (yes || ((yield* stdio.stdinIsTerminal) && (yield* stdio.stderrIsTerminal))) return
  return yield* new Usage({ message: "the command asks for confirmation, but there is no terminal; add --yes" })
})

/** Asks on the terminal. The question goes to stderr: stdout is for data. */
export const confirm = Effect.fnUntraced(function* (question: string, yes: boolean) {
  if (yes) return
  const terminal = yield* Terminal.Terminal
  const stdio = yield* Stdio.Stdio
  const sure = yield* Prompt.run(Prompt.Confirm({ message: question, initial: false })).pipe(
    Effect.provideService(Terminal.Terminal, {
      ...terminal,
      display: (text) => Stream.run(Stream.succeed(text), stdio.stderr())
    })
  )
  if (!sure) return yield* new ConfirmationDeclined()
})
