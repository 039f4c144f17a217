/** How todos look to people. */
import type { Due, Todo } from "@todo/core/domain"
import { record, type Screen, styled, table } from "./Table.ts"
import { oneLine } from "./Text.ts"

const due = (due: Due | null): string =>
  due === null ? "" : "date" in due ? due.date : `${due.dateTime.replace("T", " ").replace(/:00$/, "")} ${due.timeZone}`

const priority = (todo: Todo): string => (todo.priority === "none" ? "" : todo.priority)

// The least widths let the table fit into 80 cells.
export const drawTodos = (todos: ReadonlyArray<Todo>, screen: Screen): string =>
  table(
    [
      { name: "ID", cell: ({ id }) => id },
      { name: "✓", cell: ({ completed }) => (completed ? "✓" : "") },
      { name: "TITLE", cell: ({ title }) => title, least: 12 },
      { name: "DUE", cell: (todo) => due(todo.due), least: "2026-12-01…".length },
      { name: "PRIO", cell: priority },
      { name: "TAGS", cell: ({ tags }) => tags.join(", "), least: 4 }
    ],
    todos,
    screen
  )

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
