import { Stats } from "@todo/core/admin"
import * as Effect from "effect/Effect"
import * as Command from "effect/cli/Command"
import { runAsOperator } from "../database/RunAs.ts"
import { printResult } from "../terminal/Output.ts"
import { renderStats } from "../views/StatsView.ts"

export const stats = Command.make(
  "stats",
  {},
  Effect.fnUntraced(function* () {
    yield* printResult(yield* runAsOperator(Stats.read), renderStats)
  })
).pipe(
  Command.withDescription(
    "Print the number of users, todos and lists, the largest users, and the size on disk.\n" +
      "  The chart counts each todo on the day (UTC) of its last change. Purged todos are not counted. The command reads\n" +
      "  every todo once: expect a minute for some millions"
  ),
  Command.withShortDescription("Print the number of users, todos and lists, the largest users, and the size on disk"),
  Command.withExamples([
    { command: "todo-admin stats" },
    { command: "todo-admin stats --json", description: "For monitoring systems" }
  ])
)
