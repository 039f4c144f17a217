import { type CurrentUser, type Todo, TodoId, type TodoPatch, type TodoQuery } from "@todo/core/domain"
import type { Expectation, Todos } from "@todo/core"
import { todoDefaults } from "@todo/core/domain/defaults"
import * as Effect from "effect/Effect"
import * as Struct from "effect/Struct"
import * as Command from "effect/cli/Command"
import { runAsUser } from "../database/RunAs.ts"
import { confirm, requireTerminalOrYes } from "../terminal/Confirm.ts"
import { Usage } from "../errors/CommandError.ts"
import * as Flags from "../flags/Flags.ts"
import { Json } from "../flags/GlobalFlags.ts"
import { printResult } from "../terminal/Output.ts"
import { collectPages, printPage } from "../terminal/Paging.ts"
import { oneLine } from "../terminal/TerminalText.ts"
import { localTimeIn } from "../time/LocalTime.ts"
import * as TodoFlags from "../flags/TodoFlags.ts"
import { renderTodo, renderTodos } from "../views/TodoView.ts"

const base = Command.make("todo").pipe(
  Command.withSharedFlags({ user: Flags.user("The owner of the todos: the sub claim of the user's tokens") })
)

type Service = typeof Todos.Service

/** Runs on behalf of `--user`. */
const withTodos = <A, E, R>(use: (todos: Service) => Effect.Effect<A, E, R | CurrentUser>) =>
  Effect.flatMap(base, ({ user }) => runAsUser(user, ({ todos }) => use(todos)))

const printOne = <E, R>(use: (todos: Service) => Effect.Effect<Todo, E, R | CurrentUser>) =>
  Effect.flatMap(withTodos(use), (todo) => printResult(todo, renderTodo))

const list = Command.make(
  "list",
  TodoFlags.query,
  Effect.fnUntraced(function* ({ all, completed, count, deleted, open, tag, ...rest }) {
    if (completed && open)
      return yield* new Usage({ message: "--completed and --open cannot be combined; give one of them" })
    const flags: TodoQuery = {
      ...Flags.given(rest),
      ...((completed || open) && { completed }),
      ...(deleted && { deleted }),
      ...(tag.length > 0 && { tag }),
      ...(count && { count })
    }
    // People expect dates in their own time zone. The answer to a script must not depend on the machine.
    const isTable = !(yield* Json)
    const here = yield* localTimeIn(flags.timeZone)
    const query = isTable && dependsOnTimeZone(flags) ? { ...flags, timeZone: here.timeZone } : flags

    const { user } = yield* base
    const { lists, page } = yield* runAsUser(
      user,
      Effect.fnUntraced(function* ({ lists, todos }) {
        const page = yield* all ? collectPages(todos.list, query) : todos.list(query)
        const needsListNames = isTable && page.items.some(({ listId }) => listId !== null)
        // The list of a todo in the trash may be in the trash as well.
        const queries = [{}, ...(deleted ? [{ deleted }] : [])]
        const pages = yield* Effect.forEach(needsListNames ? queries : [], (query) => collectPages(lists.list, query))
        return { page, lists: pages.flatMap(({ items }) => items) }
      })
    )
    const names = new Map(lists.map(({ id, name }) => [id, name]))
    yield* printPage(page, "No todos", (items, screen) => renderTodos(items, { ...here, lists: names }, screen))
  })
).pipe(
  Command.withDescription(
    "List todos, a page at a time.\n" +
      "  The table marks completed (✓) and overdue (!) todos. Column P is the priority: High, Medium or Low.\n" +
      "  Dates and times are in --time-zone, by default this machine's. With --json, filters and order use UTC"
  ),
  Command.withShortDescription("List todos, a page at a time"),
  Command.withExamples([
    { command: "todo-admin todo list --user alice --open --sort=-updatedAt" },
    { command: "todo-admin todo list --user alice --due today --time-zone Europe/Paris" },
    { command: "todo-admin todo list --user alice --tag home --all --json", description: "All pages, for a script" }
  ])
)

/** Whether the query depends on the time zone. A cursor is valid only for the time zone of its query. */
const dependsOnTimeZone = ({ due, dueFrom, dueTo, sort }: TodoQuery): boolean =>
  (due ?? dueFrom ?? dueTo) !== undefined || sort === "due" || sort === "-due"

const show = Command.make("show", { id: TodoFlags.id }, ({ id }) => printOne((todos) => todos.get(id))).pipe(
  Command.withDescription("Show one todo"),
  Command.withExamples([{ command: "todo-admin todo show --user alice 019ab2c3-0000-7000-8000-000000000000" }])
)

const add = Command.make("add", { title: TodoFlags.title, ...TodoFlags.fields }, ({ tag, title, ...rest }) =>
  printOne((todos) => todos.create({ title, tags: tag, ...Flags.given(rest) }))
).pipe(
  Command.withDescription("Add a todo"),
  Command.withExamples([
    { command: 'todo-admin todo add --user alice "Buy milk" --tag home --due 2026-12-01' },
    { command: 'todo-admin todo add --user alice "Call Paris" --priority high --due 2026-12-01T09:00@Europe/Paris' }
  ])
)

const edits = { ...TodoFlags.changes, clear: TodoFlags.clear }

const edit = Command.make(
  "edit",
  { id: TodoFlags.id, ...edits, ifRevision: Flags.ifRevision },
  Effect.fnUntraced(function* ({ id, ifRevision, ...flags }) {
    const patch = yield* patchOf(flags)
    yield* printOne((todos) => todos.update(id, patch, Flags.expecting(ifRevision)))
  })
).pipe(
  Command.withDescription("Change a todo. Fields without a flag stay as they are"),
  Command.withExamples([
    { command: "todo-admin todo edit --user alice ID --priority low --clear-due" },
    { command: 'todo-admin todo edit --user alice ID --title "Buy oat milk" --if-revision 7' }
  ])
)

const patchOf = Effect.fnUntraced(function* (flags: Command.Command.Config.Infer<typeof edits>) {
  const { clear, tag, ...rest } = flags
  const values: TodoPatch = { ...Flags.given(rest), ...(tag.length > 0 && { tags: tag }) }
  const cleared: TodoPatch = Struct.pick(
    todoDefaults,
    Struct.keys(clear).filter((name) => clear[name])
  )
  for (const name of Object.keys(cleared)) {
    if (name in values) return yield* new Usage({ message: `${name} cannot be both given and cleared` })
  }
  const patch = { ...values, ...cleared }
  if (Object.keys(patch).length === 0)
    return yield* new Usage({ message: "no change is given; add a flag such as --title" })
  return patch
})

/** Commands that take an id and change the state of the todo. */
const transition = (
  name: "done" | "reopen" | "restore",
  method: "complete" | "reopen" | "restore",
  description: string
) =>
  Command.make(name, { id: TodoFlags.id, ifRevision: Flags.ifRevision }, ({ id, ifRevision }) =>
    printOne((todos) => todos[method](id, Flags.expecting(ifRevision)))
  ).pipe(
    Command.withDescription(description),
    Command.withExamples([{ command: `todo-admin todo ${name} --user alice ID` }])
  )

const remove = Command.make(
  "delete",
  { id: TodoFlags.id, ifRevision: Flags.ifRevision, yes: Flags.yes },
  Effect.fnUntraced(function* ({ id, ifRevision, yes }) {
    yield* requireTerminalOrYes(yes)
    yield* printOne((todos) => removeConfirmed(todos, id, yes, Flags.expecting(ifRevision)))
  })
).pipe(
  Command.withDescription("Move a todo to the trash"),
  Command.withExamples([
    { command: "todo-admin todo delete --user alice ID", description: "Asks for confirmation on a terminal" },
    { command: "todo-admin todo delete --user alice ID --yes", description: "Without confirmation, for a script" }
  ])
)

const removeConfirmed = Effect.fnUntraced(function* (todos: Service, id: TodoId, yes: boolean, expected: Expectation) {
  if (!yes) {
    const { title } = yield* todos.get(id)
    yield* confirm(`Move "${oneLine(title)}" to the trash?`, yes)
  }
  return yield* todos.delete(id, expected)
})

const move = Command.make(
  "move",
  { id: TodoFlags.id, ...Flags.position(TodoId), ifRevision: Flags.ifRevision },
  Effect.fnUntraced(function* ({ id, ifRevision, ...flags }) {
    const to = yield* Flags.positionOf(flags)
    yield* printOne((todos) => todos.move(id, to, Flags.expecting(ifRevision)))
  })
).pipe(
  Command.withDescription("Move a todo before or after another one"),
  Command.withExamples([{ command: "todo-admin todo move --user alice ID --after OTHER" }])
)

export const todo = base.pipe(
  Command.withDescription("Read and change the todos of one user"),
  Command.withExamples([
    { command: "todo-admin todo list --user alice --open", description: "The open todos of alice" },
    { command: 'todo-admin todo add --user alice "Buy milk"' }
  ]),
  Command.withSubcommands([
    list,
    show,
    add,
    edit,
    transition("done", "complete", "Mark a todo as completed"),
    transition("reopen", "reopen", "Mark a completed todo as open again"),
    move,
    remove,
    transition("restore", "restore", "Restore a todo from the trash")
  ])
)
