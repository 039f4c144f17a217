/** How users look to operators. */
import type { User } from "@todo/core/admin"
import { type Screen, table } from "./Table.ts"

/** The day is enough to compare. */
const day = (time: string) => time.slice(0, "2026-01-01".length)

export const drawUsers = (users: ReadonlyArray<User>, screen: Screen): string =>
  table(
    [
      { name: "ID", cell: ({ id }) => id },
      { name: "OPEN", cell: ({ counts }) => counted(counts.open) },
      { name: "DONE", cell: ({ counts }) => counted(counts.completed) },
      { name: "TRASH", cell: ({ counts }) => counted(counts.trashed) },
      { name: "LISTS", cell: ({ counts }) => counted(counts.lists) },
      { name: "CHANGED", cell: ({ updatedAt }) => day(updatedAt) },
      { name: "CREATED", cell: ({ createdAt }) => day(createdAt) },
      {
        name: "DISABLED",
        cell: ({ disabledAt }) => (disabledAt === null ? "" : day(disabledAt)),
        style: () => "yellow"
      }
    ],
    users,
    screen
  )

const counted = (count: number): string => count.toLocaleString("en")
