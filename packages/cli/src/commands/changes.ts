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
import { renderChange } from "../views/renderChange.ts"
import * as Flags from "../flags/Flags.ts"
import { isBrokenPipe, printInfo, printStream } from "../terminal/Output.ts"

export const changes = Command.make(
  "changes",
  {
    user: Flags.user("The user whose changes are printed: the sub claim of the user's tokens"),
    since: Flags.text("since", "Print only changes after this cursor (default: all changes)").pipe(
      Flag.withMetavar("CURSOR"),
      Flag.optional
    ),
    follow: Flags.boolean("follow", "Wait for new changes and print them, until Ctrl-C"),
    limit: Flags.wholeNumber(
      "limit",
      Schema.Int.check(Schema.isGreaterThanOrEqualTo(1, { expected: "a whole number from 1" }))
    ).pipe(Flag.withDescription("Stop after this number of changes"), Flag.optional)
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
              // This runs when the consumer asks for the next change, so this one has been printed.
              Stream.fromEffectDrain(Effect.sync(() => (printed = cursor)))
            )
          )
        ),
        renderChange
      )
    ).pipe(
      Effect.onExit((exit) => {
        if (Exit.isFailure(exit) && isBrokenPipe(exit.cause)) return Effect.void
        if (printed !== undefined) return printInfo(`To continue after the last change: --since ${printed}`)
        return Exit.isSuccess(exit) ? printInfo("No changes") : Effect.void
      })
    )
  })
).pipe(
  Command.withDescription(
    "Print the changes to a user's todos and lists, in order. Each item is printed once, in its latest state.\n" +
      '  With --json, each line is a document. Its "cursor" is the value of --since to continue after this change.\n' +
      "  Exits with 3 if the cursor has expired, because changes after it are no longer kept, and with 130 on Ctrl-C"
  ),
  Command.withShortDescription("Print or follow the changes to a user's todos and lists"),
  Command.withExamples([
    { command: "todo-admin changes --user alice --follow", description: "Watch alice's changes" },
    { command: "todo-admin changes --user alice --json > changes.ndjson", description: "All changes, for a script" },
    {
      command: "todo-admin changes --user alice --since CURSOR --follow --limit 1",
      description: "Wait for the next change"
    }
  ])
)

/** A stream of the present changes that ends when it has caught up. */
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
