import { Doctor, type Finding } from "@todo/core/admin"
import * as Effect from "effect/Effect"
import * as Command from "effect/cli/Command"
import { ProblemsFound } from "../errors/CommandError.ts"
import { noticePrinter, printResult } from "../terminal/Output.ts"
import { type Screen, styled } from "../terminal/Screen.ts"
import { lines, oneLine, wrap } from "../terminal/TerminalText.ts"

const colours = { passed: "green", warning: "yellow", failed: "red" } as const

const indent = "warning  ".length

const render = (findings: ReadonlyArray<Finding>, screen: Screen): string =>
  findings
    .flatMap(({ check, detail, hint, statements = [], status }) => [
      `${styled(screen, colours[status], status)}${" ".repeat(indent - status.length)}${styled(screen, "bold", check)}${hangingIndent(screen, `${check}: ${oneLine(detail)}`).slice(check.length)}`,
      ...(hint === undefined ? [] : [`${" ".repeat(indent)}${hangingIndent(screen, `hint: ${oneLine(hint)}`)}`]),
      // Not wrapped, so that they can be copied.
      ...statements.flatMap((statement) => lines(`${statement};`).map((line) => " ".repeat(indent + 2) + line))
    ])
    .join("\n")

/** Wraps text with all lines but the first indented. */
const hangingIndent = ({ width }: Screen, text: string): string =>
  wrap(text, (width ?? Infinity) - indent).join(`\n${" ".repeat(indent)}`)

export const doctor = Command.make(
  "doctor",
  {},
  Effect.fnUntraced(function* () {
    const findings = yield* Doctor.examine(yield* noticePrinter)
    yield* printResult(findings, render)
    const count = findings.filter(({ status }) => status === "failed").length
    if (count > 0) return yield* new ProblemsFound({ count })
  })
).pipe(
  Command.withDescription(
    "Check the settings, the database and the isolation of users, and print a hint for each problem"
  ),
  Command.withExamples([
    { command: "todo-admin doctor", description: "Exits with 6 if a check failed; warnings do not count" },
    { command: "todo-admin doctor --json", description: "For monitoring systems" }
  ])
)
