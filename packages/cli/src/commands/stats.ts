import * as Effect from "effect/Effect"
import * as Command from "effect/cli/Command"
import { print } from "../terminal/Output.ts"
import { drawStats } from "../views/StatsView.ts"

export const stats = Command.make(
  "stats",
  {},
  Effect.fnUntraced(function* () {
    const { Stats } = yield* Effect.promise(() => import("@todo/core/admin"))
    const { asOperator } = yield* Effect.promise(() => import("../database/Session.ts"))

    yield* print(yield* asOperator(Stats.read), drawStats)
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
