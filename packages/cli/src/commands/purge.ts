import { Purge } from "@todo/core/admin"
import * as Effect from "effect/Effect"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { runAsAdmin } from "../database/RunAs.ts"
import { requireTerminalOrYes, confirm, yes } from "../terminal/Confirm.ts"
import * as Flags from "../flags/Flags.ts"
import { printResult, Quiet, printInfo } from "../terminal/Output.ts"
import { withProgress } from "../terminal/Progress.ts"
import { pluralize } from "../terminal/TerminalText.ts"

export const purge = Command.make(
  "purge",
  {
    olderThan: Flags.duration("older-than").pipe(
      Flag.withDescription("For how long it has to have been in the trash: 90s, 30m, 12h, 30d")
    ),
    user: Flags.user("The only user whose trash it is; all users where it is not given").pipe(Flag.optional),
    dryRun: Flags.boolean("dry-run", "Only count what would go"),
    yes
  },
  Effect.fnUntraced(function* ({ dryRun, olderThan, user, yes }) {
    yield* requireTerminalOrYes(yes || dryRun)
    const purged = yield* runAsAdmin(
      Effect.gen(function* () {
        const { before, of, ...planned } = yield* Purge.plan({ olderThan, ...Flags.given({ user }) })
        const rows = planned.todos + planned.lists + planned.keys
        if (dryRun || rows === 0) return { ...planned, before, dryRun }
        yield* confirm(`Remove ${describePurged(planned)}, trashed before ${before}, for good?`, yes)
        const done = yield* withProgress("Purging", rows, (advance) => Purge.run({ before, of, ...planned }, advance))
        return { ...done, before, dryRun }
      })
    )
    // From cron, what is printed is a mail.
    const isSilent = (yield* Quiet) && !dryRun
    yield* printResult(purged, (purged) =>
      isSilent ? "" : `${dryRun ? "Would remove" : "Removed"} ${describePurged(purged)}`
    )
    yield* printInfo(`${dryRun ? "That is what" : "What"} was put into the trash before ${purged.before}`)
  })
).pipe(
  Command.withDescription(
    "Remove for good what has been in the trash for long, and idempotency keys that are more than 24 hours old.\n" +
      "  A list stays until the last todo in it is gone. Change cursors that have not seen a removed row in the trash\n" +
      "  expire (410), all others go on. It works in small steps beside running servers, may be stopped at any time and\n" +
      "  run again, also twice at once"
  ),
  Command.withShortDescription("Remove for good what has been in the trash for long"),
  Command.withExamples([
    { command: "todo-admin purge --older-than 30d --dry-run", description: "See what would go" },
    { command: "todo-admin purge --older-than 30d", description: "Asks first, on a terminal" },
    { command: "todo-admin purge --older-than 30d --yes --quiet", description: "From cron, every night" },
    { command: "todo-admin purge --older-than 1s --user alice", description: "Empty one user's trash" }
  ])
)

const describePurged = ({ keys, lists, todos, users }: Purge.Purged): string =>
  `${pluralize(todos, "todo")}, ${pluralize(lists, "list")} and ${pluralize(keys, "idempotency key")} of ${pluralize(users, "user")}`
