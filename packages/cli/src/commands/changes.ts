import type { Changes } from "@todo/core"
import type { ChangeQuery } from "@todo/core/domain"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { runAsUser } from "../database/RunAs.ts"
import { renderChange } from "../views/ChangeView.ts"
import { isBrokenPipe } from "../terminal/ExitCode.ts"
import * as Flags from "../flags/Flags.ts"
import { printStream, printInfo } from "../terminal/Output.ts"

export const changes = Command.make(
  "changes",
  {
    user: Flags.user("Whose changes: the subject of the user's tokens"),
    since: Flags.text("since", "Only what came after it; everything where it is not given").pipe(
      Flag.withMetavar("CURSOR"),
      Flag.optional
    ),
    follow: Flags.boolean("follow", "And then each as it happens, until Ctrl-C"),
    limit: Flag.Int("limit").pipe(
      Flag.withMetavar("N"),
      Flag.withSchema(Schema.Int.check(Schema.isGreaterThanOrEqualTo(1))),
      Flag.withDescription("End after so many"),
      Flag.optional
    )
  },
  Effect.fnUntraced(function* ({ follow, limit, since, user }) {
    const query = Flags.given({ since })
    let printed: string | undefined
    yield* runAsUser(user, ({ changes }) =>
      printStream(
        (follow ? changes.stream(query) : untilNow(changes, query)).pipe(
          Stream.take(Option.getOrElse(limit, () => Infinity)),
          Stream.flatMap(({ change, cursor }) =>
            Stream.concat(
              Stream.succeed({ ...change, cursor }),
              // Whoever asks for more has printed this one.
              Stream.fromEffectDrain(Effect.sync(() => (printed = cursor)))
            )
          )
        ),
        renderChange
      )
    ).pipe(
      Effect.onExit((exit) => {
        if (Exit.isFailure(exit) && isBrokenPipe(exit.cause)) return Effect.void
        if (printed !== undefined) return printInfo(`To go on from here: --since ${printed}`)
        return Exit.isSuccess(exit) ? printInfo("No changes") : Effect.void
      })
    )
  })
).pipe(
  Command.withDescription(
    "Print what became of a user's todos and lists: each once, as it is after its latest change, in the order of changes.\n" +
      '  With --json one document a line: a change, and in "cursor" what --since takes to go on after it.\n' +
      "  Ends with 3 where some of what came after the cursor is no longer kept, and with 130 on Ctrl-C"
  ),
  Command.withShortDescription("Print what became of a user's todos and lists, also as it happens"),
  Command.withExamples([
    { command: "todo-admin changes --user alice --follow", description: "See what happens" },
    { command: "todo-admin changes --user alice --json > changes.ndjson", description: "All there is, for a script" },
    { command: "todo-admin changes --user alice --since CURSOR --follow --limit 1", description: "Wait for the next" }
  ])
)

/** Ends where nothing more is there. */
const untilNow = (changes: typeof Changes.Service, query: Pick<ChangeQuery, "since">) => {
  const isAll = (query: Pick<ChangeQuery, "since">) =>
    Effect.map(changes.page({ ...query, limit: 1 }), (page) => page.changes.length === 0)
  return Stream.unwrap(
    Effect.map(isAll(query), (none) =>
      none
        ? Stream.empty
        : changes.stream(query).pipe(
            Stream.chunks,
            Stream.takeUntilEffect((chunk) => isAll({ since: chunk.at(-1)?.cursor ?? "" })),
            Stream.flattenArray
          )
    )
  )
}
