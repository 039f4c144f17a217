/** Renders the findings of `doctor`. */
import type { Finding } from "@todo/core/admin"
import { type Screen, styled } from "../terminal/Screen.ts"
import { lines, oneLine, wrap } from "../terminal/TerminalText.ts"

const colours = { passed: "green", warning: "yellow", failed: "red" } as const

const indent = "warning  ".length

export const renderFindings = (findings: ReadonlyArray<Finding>, screen: Screen): string =>
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
