/** Renders lists for people. */
import type { TodoList } from "@todo/core/domain"
import { type Screen, styled } from "../terminal/Screen.ts"
import { oneLine } from "../terminal/TerminalText.ts"
import { record, table } from "./Table.ts"

export const renderLists = (lists: ReadonlyArray<TodoList>, screen: Screen): string =>
  table(
    [
      { name: "ID", cell: ({ id }) => id },
      { name: "NAME", cell: ({ name }) => name, minWidth: 12 },
      { name: "REVISION", cell: ({ revision }) => String(revision) }
    ],
    lists,
    screen
  )

export const renderList = (list: TodoList, screen: Screen): string =>
  [
    styled(screen, "bold", oneLine(list.name)),
    record(
      [
        ["id", list.id],
        ["state", list.deletedAt !== null ? "in the trash" : ""],
        ["revision", String(list.revision)],
        ["created", list.createdAt],
        ["updated", list.updatedAt],
        ["deleted", list.deletedAt ?? ""]
      ],
      screen
    )
  ].join("\n")
