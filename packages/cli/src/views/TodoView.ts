/** Renders todos for people. */
import type { Due, Todo } from "@todo/core/domain"
import { isOverdue, formatDue } from "./DueView.ts"
import { type Screen, styled } from "../terminal/Screen.ts"
import { oneLine } from "../terminal/TerminalText.ts"
import type { LocalTime } from "../time/LocalTime.ts"
import { record, table } from "./Table.ts"

const due = (due: Due | null): string =>
  due === null ? "" : "date" in due ? due.date : `${due.dateTime.replace("T", " ").replace(/:00$/, "")} ${due.timeZone}`

const priority = (todo: Todo): string => (todo.priority === "none" ? "" : todo.priority)

const priorityStyles = { none: undefined, low: undefined, medium: "yellow", high: "red" } as const

/** What the table needs beside the todos: the time and time zone of the reader, and the names of lists. */
interface TodoContext extends LocalTime {
  readonly lists: ReadonlyMap<string, string>
}

// With these minimum widths the table fits into 80 cells.
export const renderTodos = (todos: ReadonlyArray<Todo>, context: TodoContext, screen: Screen): string => {
  const overdue = new Set(todos.filter((todo) => isOverdue(todo, context)))
  return table(
    [
      { name: "ID", cell: ({ id }) => id },
      {
        name: "",
        cell: (todo) => (todo.completed ? "✓" : overdue.has(todo) ? "!" : ""),
        style: (todo) => (todo.completed ? "green" : "red"),
        inRecord: { name: "STATE", cell: (todo) => (todo.completed ? "✓ done" : overdue.has(todo) ? "! overdue" : "") }
      },
      {
        name: "TITLE",
        cell: ({ title }) => title,
        minWidth: 12,
        style: ({ completed }) => (completed ? "dim" : undefined)
      },
      {
        name: "DUE",
        cell: (todo) => (todo.due === null ? "" : formatDue(todo.due, context)),
        minWidth: "2 days ago".length,
        style: (todo) => (overdue.has(todo) ? "red" : undefined)
      },
      {
        name: "P",
        cell: (todo) => priority(todo).charAt(0).toUpperCase(),
        style: ({ priority }) => priorityStyles[priority],
        inRecord: { name: "PRIORITY", cell: priority }
      },
      { name: "TAGS", cell: ({ tags }) => tags.join(", "), minWidth: 4 },
      {
        name: "LIST",
        cell: ({ listId }) => (listId === null ? "" : (context.lists.get(listId) ?? listId)),
        minWidth: 4
      }
    ],
    todos,
    screen
  )
}

export const renderTodo = (todo: Todo, screen: Screen): string =>
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
