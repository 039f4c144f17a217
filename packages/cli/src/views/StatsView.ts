/** How an installation in numbers looks to operators, on 40 columns and more. */
import type { Stats } from "@todo/core/admin"
import { record, type Screen, styled, table } from "./Table.ts"
import { grouped, size } from "../terminal/TerminalText.ts"

export const drawStats = ({ biggest, days, lists, tables, todos, users }: Stats.Stats, screen: Screen): string =>
  [
    record(
      [
        ["users", `${grouped(users.total)}\n${grouped(users.disabled)} disabled`],
        ["active", `${grouped(users.activeIn7Days)} in 7 days\n${grouped(users.activeIn30Days)} in 30 days`],
        [
          "todos",
          `${grouped(todos.open)} open\n${grouped(todos.completed)} done\n${grouped(todos.trashed)} in the trash`
        ],
        ["lists", `${grouped(lists.total)}\n${grouped(lists.trashed)} in the trash`]
      ],
      screen
    ),
    [styled(screen, "bold", "Todos by day of last change (UTC)"), drawDays(days, screen)].join("\n"),
    ...(biggest.length === 0
      ? []
      : [
          table(
            [
              { name: "BIGGEST USERS", cell: ({ id }) => id, alone: { name: "USER", cell: ({ id }) => id } },
              { name: "TODOS", cell: ({ todos }) => grouped(todos) }
            ],
            biggest,
            screen
          )
        ]),
    table(
      [
        { name: "TABLE", cell: ({ name }) => name },
        { name: "SIZE", cell: ({ bytes }) => size(bytes) },
        { name: "INDEXES", cell: ({ indexBytes }) => size(indexBytes) }
      ],
      tables,
      screen
    )
  ].join("\n\n")

const height = 5
const eighths = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"]

/** A bar for each day, the tallest with its number: two cells wide where there is room. */
export const drawDays = (days: Stats.Stats["days"], screen: Screen): string => {
  const most = Math.max(...days.map(({ todos }) => todos))
  const label = grouped(most)
  const cells = label.length + 2 + 2 * days.length < (screen.width ?? Infinity) ? 2 : 1
  // What is there at all is seen.
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
