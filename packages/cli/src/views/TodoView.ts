/** How todos look to people. */
import type { Due, Todo } from "@todo/core/domain"
import { isOverdue, sayDue } from "./DueView.ts"
import type { Here } from "./Viewer.ts"
import { record, type Screen, styled, table } from "./Table.ts"
import { oneLine } from "../terminal/TerminalText.ts"

const due = (due: Due | null): string =>
  due === null ? "" : "date" in due ? due.date : `${due.dateTime.replace("T", " ").replace(/:00$/, "")} ${due.timeZone}`

const priority = (todo: Todo): string => (todo.priority === "none" ? "" : todo.priority)

const priorityStyles = { none: undefined, low: undefined, medium: "yellow", high: "red" } as const

/** What there is to know around todos: when and where somebody looks, and the names of lists. */
interface Surroundings extends Here {
  readonly lists: ReadonlyMap<string, string>
}

// The least widths let the table fit into 80 cells.
export const drawTodos = (todos: ReadonlyArray<Todo>, around: Surroundings, screen: Screen): string => {
  const overdue = new Set(todos.filter((todo) => isOverdue(todo, around)))
  return table(
    [
      { name: "ID", cell: ({ id }) => id },
      {
        name: "",
        cell: (todo) => (todo.completed ? "✓" : overdue.has(todo) ? "!" : ""),
        style: (todo) => (todo.completed ? "green" : "red"),
        alone: { name: "STATE", cell: (todo) => (todo.completed ? "✓ done" : overdue.has(todo) ? "! overdue" : "") }
      },
      {
        name: "TITLE",
        cell: ({ title }) => title,
        least: 12,
        style: ({ completed }) => (completed ? "dim" : undefined)
      },
      {
        name: "DUE",
        cell: (todo) => (todo.due === null ? "" : sayDue(todo.due, around)),
        least: "2 days ago".length,
        style: (todo) => (overdue.has(todo) ? "red" : undefined)
      },
      {
        name: "P",
        cell: (todo) => priority(todo).charAt(0).toUpperCase(),
        style: ({ priority }) => priorityStyles[priority],
        alone: { name: "PRIORITY", cell: priority }
      },
      { name: "TAGS", cell: ({ tags }) => tags.join(", "), least: 4 },
      { name: "LIST", cell: ({ listId }) => (listId === null ? "" : (around.lists.get(listId) ?? listId)), least: 4 }
    ],
    todos,
    screen
  )
}

export const drawTodo = (todo: Todo, screen: Screen): string =>
  [
    styled(screen, "bold", oneLine(todo.title)),
    record(
      [
        ["id", todo.id],
        ["state", todo.deletedAt !== null ? "in the trash" : todo.completed ? "done" : "open"],
        ["description", todo.description ?? ""],
        ["due", due(todo.due)],
        ["priority", priority(todo)],
        ["tags", todo.tags.map(oneLine).join(", ")],
        ["list", todo.listId ?? ""],
        ["revision", String(todo.revision)],
        ["created", todo.createdAt],
        ["updated", todo.updatedAt],
        ["completed", todo.completedAt ?? ""],
        ["deleted", todo.deletedAt ?? ""]
      ],
      screen
    )
  ].join("\n")
