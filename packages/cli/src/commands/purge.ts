import { Purge } from "@todo/core/admin"
import * as Effect from "effect/Effect"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { runAsOperator } from "../database/RunAs.ts"
import { confirm, requireTerminalOrYes } from "../terminal/Confirm.ts"
import * as Flags from "../flags/Flags.ts"
import { Quiet } from "../flags/GlobalFlags.ts"
import { printResult, printInfo } from "../terminal/Output.ts"
import { withProgress } from "../terminal/Progress.ts"
import { pluralize } from "../terminal/TerminalText.ts"

export const purge = Command.make(
  "purge",
  {
    olderThan: Flags.duration("older-than").pipe(
      Flag.withDescription("Remove only items that have been in the trash for longer than this: 90s, 30m, 12h, 30d")
    ),
    user: Flags.user("Purge only the trash of this user (default: all users)").pipe(Flag.optional),
    dryRun: Flags.boolean("dry-run", "Print what would be removed, without removing it"),
    yes: Flags.yes
  },
  Effect.fnUntraced(function* ({ dryRun, olderThan, user, yes }) {
    yield* requireTerminalOrYes(yes || dryRun)
    const purged = yield* runAsOperator(
      Effect.gen(function* () {
        const plan = yield* Purge.plan({ olderThan, ...Flags.given({ user }) })
        const { before, userIds: _, ...planned } = plan
        const rows = planned.todos + planned.lists + planned.keys
        if (dryRun || rows === 0) return { ...planned, before, dryRun }
        yield* confirm(
          `Permanently remove ${describePurged(planned)}? The todos and lists were moved to the trash before ${before}.`,
          yes
        )
        const removed = yield* withProgress("Purging", rows, (advance) => Purge.run(plan, advance))
        return { ...removed, before, dryRun }
      })
    )
    // cron sends a mail for each run that prints something.
    const isSilent = (yield* Quiet) && !dryRun
    yield* printResult(purged, (counts) =>
      isSilent ? "" : `${dryRun ? "Would remove" : "Removed"} ${describePurged(counts)}`
    )
    if (purged.todos + purged.lists > 0) {
      yield* printInfo(`The todos and lists were moved to the trash before ${purged.before}`)
    }
  })
).pipe(
  Command.withDescription(
    "Permanently remove old items from the trash, and idempotency keys that are more than 24 hours old.\n" +
      "  A list stays until its last todo has been removed. A change cursor from before a removed item was moved to the\n" +
      "  trash expires (410); other cursors stay valid. Purging works in small transactions beside running servers. It can\n" +
      "  be stopped and repeated at any time, and several runs at the same time are safe"
  ),
  Command.withShortDescription("Permanently remove old items from the trash"),
  Command.withExamples([
    { command: "todo-admin purge --older-than 30d --dry-run", description: "Print what would be removed" },
    { command: "todo-admin purge --older-than 30d", description: "Asks for confirmation on a terminal" },
    { command: "todo-admin purge --older-than 30d --yes --quiet", description: "For a nightly cron job" },
    { command: "todo-admin purge --older-than 1s --user alice", description: "Empty one user's trash" }
  ])
)

const describePurged = ({ keys, lists, todos, users }: Purge.Purged): string =>
  `${pluralize(todos, "todo")}, ${pluralize(lists, "list")} and ${pluralize(keys, "idempotency key")} of ${pluralize(users, "user")}`
