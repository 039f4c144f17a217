import { type CurrentUser, ListId, ListSort, ListTodos, type TodoList } from "@todo/core/domain"
import type { Expectation, Lists } from "@todo/core"
import * as Effect from "effect/Effect"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { runAsUser } from "../database/RunAs.ts"
import { confirm, requireTerminalOrYes } from "../terminal/Confirm.ts"
import * as Flags from "../flags/Flags.ts"
import { renderList, renderLists } from "../views/ListView.ts"
import { printResult } from "../terminal/Output.ts"
import { collectPages, printPage } from "../terminal/Paging.ts"
import { oneLine } from "../terminal/TerminalText.ts"

const base = Command.make("list").pipe(
  Command.withSharedFlags({ user: Flags.user("The owner of the lists: the sub claim of the user's tokens") })
)

type Service = typeof Lists.Service

/** Runs on behalf of `--user`. */
const withLists = <A, E, R>(use: (lists: Service) => Effect.Effect<A, E, R | CurrentUser>) =>
  Effect.flatMap(base, ({ user }) => runAsUser(user, ({ lists }) => use(lists)))

const printOne = <E, R>(use: (lists: Service) => Effect.Effect<TodoList, E, R | CurrentUser>) =>
  Effect.flatMap(withLists(use), (list) => printResult(list, renderList))

const id = Argument.String("id").pipe(Flags.withSchema(ListId), Argument.withDescription("The list's id"))

const name = Argument.String("name").pipe(Argument.withDescription("The name of the list"))

const listLists = Command.make(
  "list",
  {
    deleted: Flags.trash,
    sort: Flag.Literals("sort", ListSort.literals).pipe(
      Flag.withDescription("The order. A leading - means descending (--sort=-createdAt)"),
      Flag.optional
    ),
    ...Flags.paging
  },
  Effect.fnUntraced(function* ({ all, count, deleted, ...rest }) {
    const query = { ...Flags.given(rest), ...(deleted && { deleted }), ...(count && { count }) }
    const page = yield* withLists((lists) => (all ? collectPages(lists.list, query) : lists.list(query)))
    yield* printPage(page, "No lists", renderLists)
  })
).pipe(
  Command.withDescription("List the lists of a user, a page at a time"),
  Command.withExamples([{ command: "todo-admin list list --user alice --all --json", description: "For a script" }])
)

const show = Command.make("show", { id }, ({ id }) => printOne((lists) => lists.get(id))).pipe(
  Command.withDescription("Show one list"),
  Command.withExamples([
    { command: "todo-admin list show --user alice ID" },
    { command: "todo-admin todo list --user alice --list ID", description: "The todos in the list" }
  ])
)

const add = Command.make("add", { name }, ({ name }) => printOne((lists) => lists.create({ name }))).pipe(
  Command.withDescription("Add a list"),
  Command.withExamples([{ command: 'todo-admin list add --user alice "Errands"' }])
)

const rename = Command.make("rename", { id, name, ifRevision: Flags.ifRevision }, ({ id, ifRevision, name }) =>
  printOne((lists) => lists.update(id, { name }, Flags.expecting(ifRevision)))
).pipe(
  Command.withDescription("Rename a list"),
  Command.withExamples([{ command: 'todo-admin list rename --user alice ID "Errands and chores"' }])
)

const remove = Command.make(
  "delete",
  {
    id,
    todos: Flag.Literals("todos", ListTodos.literals).pipe(
      Flag.withDescription("trash: move the todos of the list to the trash as well; keep: keep them without a list"),
      Flag.optional
    ),
    ifRevision: Flags.ifRevision,
    yes: Flags.yes
  },
  Effect.fnUntraced(function* ({ id, ifRevision, todos, yes }) {
    yield* requireTerminalOrYes(yes)
    const options = { ...Flags.expecting(ifRevision), ...Flags.given({ todos }) }
    yield* printOne((lists) => removeConfirmed(lists, id, yes, options))
  })
).pipe(
  Command.withDescription("Move a list to the trash. If it has todos, --todos is required"),
  Command.withExamples([
    {
      command: "todo-admin list delete --user alice ID --todos keep",
      description: "Asks for confirmation on a terminal"
    },
    {
      command: "todo-admin list delete --user alice ID --todos trash --yes",
      description: "Without confirmation, for a script"
    }
  ])
)

const todosClause = { trash: " with its todos", keep: " and keep its todos" }

const removeConfirmed = Effect.fnUntraced(function* (
  lists: Service,
  id: ListId,
  yes: boolean,
  options: Expectation & { readonly todos?: ListTodos }
) {
  if (!yes) {
    const { name } = yield* lists.get(id)
    const todosPart = options.todos === undefined ? "" : todosClause[options.todos]
    yield* confirm(`Move the list "${oneLine(name)}" to the trash${todosPart}?`, yes)
  }
  return yield* lists.delete(id, options)
})

const restore = Command.make("restore", { id, ifRevision: Flags.ifRevision }, ({ id, ifRevision }) =>
  printOne((lists) => lists.restore(id, Flags.expecting(ifRevision)))
).pipe(
  Command.withDescription("Restore a list from the trash. Todos that were moved to the trash with it stay there"),
  Command.withExamples([{ command: "todo-admin list restore --user alice ID" }])
)

const move = Command.make(
  "move",
  { id, ...Flags.position(ListId), ifRevision: Flags.ifRevision },
  Effect.fnUntraced(function* ({ id, ifRevision, ...flags }) {
    const to = yield* Flags.positionOf(flags)
    yield* printOne((lists) => lists.move(id, to, Flags.expecting(ifRevision)))
  })
).pipe(
  Command.withDescription("Move a list before or after another one"),
  Command.withExamples([{ command: "todo-admin list move --user alice ID --before OTHER" }])
)

export const list = base.pipe(
  Command.withDescription("Read and change the lists of one user"),
  Command.withExamples([
    { command: "todo-admin list list --user alice", description: "The lists of alice" },
    { command: 'todo-admin list add --user alice "Errands"' }
  ]),
  Command.withSubcommands([listLists, show, add, rename, remove, restore, move])
)
