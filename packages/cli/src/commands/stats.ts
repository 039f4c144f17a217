import { Stats } from "@todo/core/admin"
import * as Effect from "effect/Effect"
import * as Command from "effect/cli/Command"
import { runAsAdmin } from "../database/RunAs.ts"
import { printResult } from "../terminal/Output.ts"
import { renderStats } from "../views/StatsView.ts"

export const stats = Command.make(
  "stats",
  {},
  Effect.fnUntraced(function* () {
    yield* printResult(yield* runAsAdmin(Stats.read), renderStats)
  })
).pipe(
  Command.withDescription(
    "Count users, todos and lists, who has most, and what is on disk.\n" +
      "  The chart shows the todos by the day (UTC) of their last change: one that was changed again counts on its last\n" +
      "  day alone, and what was purged is not counted. Every todo is read once: expect a minute for some millions"
  ),
  Command.withShortDescription("Count users, todos and lists, who has most, and what is on disk"),
  Command.withExamples([
    { command: "todo-admin stats" },
    { command: "todo-admin stats --json", description: "For monitoring" }
  ])
)
