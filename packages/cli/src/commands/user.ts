import { Users, type UserSort } from "@todo/core/admin"
import { UserId } from "@todo/core/domain"
import * as Effect from "effect/Effect"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { runAsOperator } from "../database/RunAs.ts"
import { confirm, requireTerminalOrYes } from "../terminal/Confirm.ts"
import * as Flags from "../flags/Flags.ts"
import { printResult, printInfo } from "../terminal/Output.ts"
import { printPage } from "../terminal/Paging.ts"
import { pluralize, oneLine } from "../terminal/TerminalText.ts"
import { renderUser, renderUsers } from "../views/UserView.ts"
import { exportUser } from "./export.ts"
import { importUser } from "./import.ts"

const orders = [
  "id",
  "-id",
  "size",
  "-size",
  "updatedAt",
  "-updatedAt",
  "createdAt",
  "-createdAt"
] as const satisfies ReadonlyArray<UserSort>

const list = Command.make(
  "list",
  {
    disabled: Flags.boolean("disabled", "Only disabled users"),
    sort: Flag.Literals("sort", orders).pipe(
      Flag.withDescription("The order (default: id). A leading - means descending (--sort=-size)"),
      Flag.optional
    ),
    ...Flags.paging
  },
  Effect.fnUntraced(function* ({ all, count, disabled, limit, ...rest }) {
    const query = { ...Flags.given(rest), ...(disabled && { disabled }), ...(count && { count }) }
    const page = yield* runAsOperator(all ? Users.listAll(query) : Users.list({ ...query, ...Flags.given({ limit }) }))
    yield* printPage(page, "No users", renderUsers)
  })
).pipe(
  Command.withDescription(
    "List the users with the number of their todos and lists, a page at a time.\n" +
      "  A page in the order of id costs the same for any number of users. Other orders read all users for each page, and\n" +
      "  size counts every todo: some seconds for a million. --all reads everything once"
  ),
  Command.withShortDescription("List the users with the number of their todos and lists, a page at a time"),
  Command.withExamples([
    { command: "todo-admin user list --sort=-size --limit 10", description: "The users with the most todos" },
    { command: "todo-admin user list --disabled --count" },
    { command: "todo-admin user list --all --json", description: "For a script" }
  ])
)

const id = Argument.String("id").pipe(
  Flags.withSchema(UserId),
  Argument.withDescription("The id of the user: the sub claim of the user's tokens")
)

const show = Command.make(
  "show",
  { id },
  Effect.fnUntraced(function* ({ id }) {
    yield* printResult(yield* runAsOperator(Users.show(id)), renderUser)
  })
).pipe(
  Command.withDescription("Show one user: numbers, sizes and the time of the last change"),
  Command.withExamples([{ command: "todo-admin user show alice" }])
)

const disable = Command.make(
  "disable",
  { id },
  Effect.fnUntraced(function* ({ id }) {
    const user = yield* runAsOperator(Users.disable(id))
    yield* printResult(user, renderUser)
    yield* printInfo(
      user.appeared
        ? "Disabled. This user has never written anything: check the id, and erase the user if the id is wrong"
        : user.changed
          ? "Disabled: servers refuse this user within 5 seconds"
          : "The user was already disabled"
    )
  })
).pipe(
  Command.withDescription(
    "Block a user without removing data. Writes are refused at once, reads and open event streams within 5 seconds.\n" +
      "  A user who has never written anything can be disabled as well; this creates the user"
  ),
  Command.withShortDescription("Block a user without removing data"),
  Command.withExamples([{ command: "todo-admin user disable alice" }])
)

const enable = Command.make(
  "enable",
  { id },
  Effect.fnUntraced(function* ({ id }) {
    const user = yield* runAsOperator(Users.enable(id))
    yield* printResult(user, renderUser)
    yield* printInfo(user.changed ? "Enabled: servers accept this user within 5 seconds" : "The user was not disabled")
  })
).pipe(Command.withDescription("Unblock a user"), Command.withExamples([{ command: "todo-admin user enable alice" }]))

const erase = Command.make(
  "erase",
  { id, yes: Flags.yes },
  Effect.fnUntraced(function* ({ id, yes }) {
    yield* requireTerminalOrYes(yes)
    const erased = yield* runAsOperator(eraseConfirmed(id, yes))
    yield* printResult(
      erased,
      ({ id, lists, todos }) => `Erased ${oneLine(id)}: ${pluralize(todos, "todo")}, ${pluralize(lists, "list")}`
    )
  })
).pipe(
  Command.withDescription(
    "Permanently remove a user with all data. Afterwards the id is in no table. This cannot be undone.\n" +
      "  The user is disabled first and then removed in one transaction. If the command is interrupted, the user stays\n" +
      "  disabled with all data: run it again. Tokens stay valid, and a request with one creates an empty user, so make the\n" +
      "  issuer stop first. Backups and logs are not changed"
  ),
  Command.withShortDescription("Permanently remove a user with all data"),
  Command.withExamples([
    { command: "todo-admin user erase alice", description: "Asks for confirmation on a terminal" },
    { command: "todo-admin user erase alice --yes", description: "Without confirmation, for a script" }
  ])
)

const eraseConfirmed = Effect.fnUntraced(function* (id: UserId, yes: boolean) {
  const { counts } = yield* Users.show(id)
  const todos = counts.open + counts.completed + counts.trashed
  yield* confirm(
    `Erase "${oneLine(id)}" with ${pluralize(todos, "todo")} and ${pluralize(counts.lists, "list")}? This cannot be undone.`,
    yes
  )
  return yield* Users.erase(id)
})

export const user = Command.make("user").pipe(
  Command.withDescription("Manage users"),
  Command.withExamples([
    { command: "todo-admin user list --sort=-size --limit 10", description: "The ten users with the most todos" },
    { command: "todo-admin user export alice --output alice.ndjson", description: "All data of a user, in one file" }
  ]),
  Command.withSubcommands([list, show, disable, enable, exportUser, importUser, erase])
)
