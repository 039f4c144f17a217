import { Doctor } from "@todo/core/admin"
import * as Effect from "effect/Effect"
import * as Command from "effect/cli/Command"
import { ProblemsFound } from "../errors/CommandError.ts"
import { noticePrinter, printResult } from "../terminal/Output.ts"
import { renderFindings } from "../views/renderFindings.ts"

export const doctor = Command.make(
  "doctor",
  {},
  Effect.fnUntraced(function* () {
    const findings = yield* Doctor.examine(yield* noticePrinter)
    yield* printResult(findings, renderFindings)
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
