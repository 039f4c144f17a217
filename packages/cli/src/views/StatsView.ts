/** Renders the statistics of an installation, for terminals of at least 40 cells. */
import type { Stats } from "@todo/core/admin"
import { type Screen, styled } from "../terminal/Screen.ts"
import { formatNumber, formatBytes } from "../terminal/TerminalText.ts"
import { record, table } from "./Table.ts"

export const renderStats = ({ biggest, days, lists, tables, todos, users }: Stats.Stats, screen: Screen): string =>
  [
    record(
      [
        ["users", `${formatNumber(users.total)}\n${formatNumber(users.disabled)} disabled`],
        ["active", `${formatNumber(users.activeIn7Days)} in 7 days\n${formatNumber(users.activeIn30Days)} in 30 days`],
        [
          "todos",
          `${formatNumber(todos.open)} open\n${formatNumber(todos.completed)} done\n${formatNumber(todos.trashed)} in the trash`
        ],
        ["lists", `${formatNumber(lists.total)}\n${formatNumber(lists.trashed)} in the trash`]
      ],
      screen
    ),
    [styled(screen, "bold", "Todos by day of last change (UTC)"), renderDays(days, screen)].join("\n"),
    ...(biggest.length === 0
      ? []
      : [
          table(
            [
              { name: "BIGGEST USERS", cell: ({ id }) => id, inRecord: { name: "USER", cell: ({ id }) => id } },
              { name: "TODOS", cell: ({ todos }) => formatNumber(todos) }
            ],
            biggest,
            screen
          )
        ]),
    table(
      [
        { name: "TABLE", cell: ({ name }) => name },
        { name: "SIZE", cell: ({ bytes }) => formatBytes(bytes) },
        { name: "INDEXES", cell: ({ indexBytes }) => formatBytes(indexBytes) }
      ],
      tables,
      screen
    )
  ].join("\n\n")

const height = 5
const eighths = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"]

/** A bar chart with one bar per day and the highest number as its label. Bars are two cells wide if there is room. */
export const renderDays = (days: Stats.Stats["days"], screen: Screen): string => {
  const most = Math.max(...days.map(({ todos }) => todos))
  const label = formatNumber(most)
  const cells = label.length + 2 + 2 * days.length < (screen.width ?? Infinity) ? 2 : 1
  // A day with any todo gets a visible bar.
  const levels = days.map(({ todos }) => (todos === 0 ? 0 : Math.max(1, Math.round((todos / most) * height * 8))))
  const rows = Array.from({ length: height }, (_, row) => {
    const below = (height - 1 - row) * 8
    const bars = levels.map((level) => (eighths[Math.min(8, Math.max(0, level - below))] ?? "").repeat(cells)).join("")
    return `${(row === 0 ? label : "").padStart(label.length)} │${styled(screen, "cyan", bars.trimEnd())}`
  })
  const [first, last] = [days[0]?.date ?? "", days.at(-1)?.date ?? ""]
  return [
    ...rows,
    `${"0".padStart(label.length)} └${"─".repeat(cells * days.length)}`,
    `${" ".repeat(label.length + 2)}${first}${last.padStart(cells * days.length - first.length)}`
  ].join("\n")
}
