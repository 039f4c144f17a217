/** Renders users for operators. */
import type { User, UserDetails } from "@todo/core/admin"
import { type Screen, styled } from "../terminal/Screen.ts"
import { formatNumber, oneLine, formatBytes } from "../terminal/TerminalText.ts"
import { record, table } from "./Table.ts"

/** The date of a time. */
const day = (time: string) => time.slice(0, "2026-01-01".length)

/** With UUIDs as ids, the table fits into 80 cells. */
export const renderUsers = (users: ReadonlyArray<User>, screen: Screen): string =>
  table(
    [
      { name: "ID", cell: ({ id }) => id },
      {
        name: "TODOS",
        cell: ({ counts }) => formatNumber(counts.open + counts.completed + counts.trashed),
        inRecord: { name: "TODOS", cell: ({ counts }) => states(counts) }
      },
      { name: "LISTS", cell: ({ counts }) => formatNumber(counts.lists) },
      { name: "CHANGED", cell: ({ updatedAt }) => day(updatedAt) },
      { name: "CREATED", cell: ({ createdAt }) => day(createdAt) },
      {
        name: "OFF",
        cell: ({ disabledAt }) => (disabledAt === null ? "" : "off"),
        inRecord: { name: "DISABLED", cell: ({ disabledAt }) => day(disabledAt ?? "") },
        style: () => "yellow"
      }
    ],
    users,
    screen
  )

export const renderUser = ({ bytes, counts, ...user }: UserDetails, screen: Screen): string =>
  [
    styled(screen, "bold", oneLine(user.id)),
    record(
      [
        ["todos", states(counts)],
        ["lists", formatNumber(counts.lists)],
        [
          "size",
          `${formatBytes(bytes.todos)} of todos, ${formatBytes(bytes.lists)} of lists, ${formatBytes(bytes.words)} of words for search`
        ],
        ["keys", bytes.keys === 0 ? "" : `${formatBytes(bytes.keys)} of idempotency keys`],
        ["revision", String(user.revision)],
        ["horizon", user.horizon === 0 ? "" : `${user.horizon}, below which change cursors have expired`],
        ["created", user.createdAt],
        ["changed", user.updatedAt],
        ["disabled", user.disabledAt ?? "", "yellow"]
      ],
      screen
    )
  ].join("\n")

const states = ({ completed, open, trashed }: User["counts"]): string =>
  `${formatNumber(open)} open, ${formatNumber(completed)} done, ${formatNumber(trashed)} in the trash`
