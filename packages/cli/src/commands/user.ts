import type { UserSort } from "@todo/core/admin"
import * as Effect from "effect/Effect"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Flags from "../Flags.ts"
import { printPage } from "../Paging.ts"
import { drawUsers } from "../UserView.ts"
import { exportUser } from "./export.ts"
import { importUser } from "./import.ts"

const core = Effect.promise(() => import("@todo/core/admin"))
const session = Effect.promise(() => import("../Session.ts"))

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
    disabled: Flags.mark("disabled", "Only those who are disabled"),
    sort: Flag.Literals("sort", orders).pipe(
      Flag.withDescription("The order, by id where it is not given; - in front means descending (--sort=-size)"),
      Flag.optional
    ),
    ...Flags.paging
  },
  Effect.fnUntraced(function* ({ all, count, disabled, limit, ...rest }) {
    const { Users } = yield* core
    const { asOperator } = yield* session
    const query = { ...Flags.given(rest), ...(disabled && { disabled }), ...(count && { count }) }
    const page = yield* asOperator(all ? Users.listAll(query) : Users.list({ ...query, ...Flags.given({ limit }) }))
    yield* printPage(page, "No users", drawUsers)
  })
).pipe(
  Command.withDescription(
    "List the users with what they have, a page at a time.\n" +
      "  By id, a page costs the same however many users there are. The other orders read all users for each page,\n" +
      "  and size counts every todo: some seconds for a million. --all reads everything once"
  ),
  Command.withShortDescription("List the users with what they have, a page at a time"),
  Command.withExamples([
    { command: "todo-admin user list --sort=-size --limit 10", description: "Who has the most todos" },
    { command: "todo-admin user list --disabled --count" },
    { command: "todo-admin user list --all --json", description: "For a script" }
  ])
)

export const user = Command.make("user").pipe(
  Command.withDescription("Look after users"),
  Command.withSubcommands([list, exportUser, importUser])
)
