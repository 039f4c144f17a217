/** How users look to operators. */
import type { User, UserDetails } from "@todo/core/admin"
import { record, type Screen, styled, table } from "./Table.ts"
import { grouped, oneLine } from "./Text.ts"

/** The day is enough to compare. */
const day = (time: string) => time.slice(0, "2026-01-01".length)

/** With ids as UUIDs are, it fits 80 columns. */
export const drawUsers = (users: ReadonlyArray<User>, screen: Screen): string =>
  table(
    [
      { name: "ID", cell: ({ id }) => id },
      {
        name: "TODOS",
        cell: ({ counts }) => grouped(counts.open + counts.completed + counts.trashed),
        alone: { name: "TODOS", cell: ({ counts }) => states(counts) }
      },
      { name: "LISTS", cell: ({ counts }) => grouped(counts.lists) },
      { name: "CHANGED", cell: ({ updatedAt }) => day(updatedAt) },
      { name: "CREATED", cell: ({ createdAt }) => day(createdAt) },
      {
        name: "OFF",
        cell: ({ disabledAt }) => (disabledAt === null ? "" : "off"),
        alone: { name: "DISABLED", cell: ({ disabledAt }) => day(disabledAt ?? "") },
        style: () => "yellow"
      }
    ],
    users,
    screen
  )

export const drawUser = ({ bytes, counts, ...user }: UserDetails, screen: Screen): string =>
  [
    styled(screen, "bold", oneLine(user.id)),
    record(
      [
        ["todos", states(counts)],
        ["lists", grouped(counts.lists)],
        [
          "size",
          `${size(bytes.todos)} of todos, ${size(bytes.lists)} of lists, ${size(bytes.words)} of words for search`
        ],
        ["keys", bytes.keys === 0 ? "" : `${size(bytes.keys)} of idempotency keys`],
        ["revision", String(user.revision)],
        ["horizon", user.horizon === 0 ? "" : `${user.horizon}, below which change cursors have expired`],
        ["created", user.createdAt],
        ["changed", user.updatedAt],
        ["disabled", user.disabledAt ?? "", "yellow"]
      ],
      screen
    )
  ].join("\n")

const units = ["B", "kB", "MB", "GB", "TB"]

/** Bytes, as people say them: "1.2 MB". */
export const size = (bytes: number): string => {
  const unit = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3))
  const value = bytes / 1_000 ** unit
  return `${value.toLocaleString("en", { maximumFractionDigits: value < 10 && unit > 0 ? 1 : 0 })} ${units[unit]}`
}

const states = ({ completed, open, trashed }: User["counts"]): string =>
  `${grouped(open)} open, ${grouped(completed)} done, ${grouped(trashed)} in the trash`
