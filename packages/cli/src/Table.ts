import { styleText } from "node:util"
import { displayWidth } from "effect/cli/CliOutput"
import { fit, lines, oneLine } from "./Text.ts"

/** What human output is drawn on. */
export interface Screen {
  /** In cells; without one (a file, a pipe) nothing is cut. */
  readonly width: number | undefined
  readonly colour: boolean
}

/** Styled where there is colour. */
export const styled = (screen: Screen, format: Parameters<typeof styleText>[0], text: string): string =>
  screen.colour ? styleText(format, text, { validateStream: false }) : text

export interface Column<Row> {
  readonly name: string
  readonly cell: (row: Row) => string
  /** May be cut down to so many cells. Other columns are never cut. */
  readonly least?: number
}

const gap = 2

/**
 * Rows under names. Columns without anything in them are left out. Where even the least
 * does not fit, each row becomes a record of its own, so that nothing is lost.
 */
export const table = <Row>(columns: ReadonlyArray<Column<Row>>, rows: ReadonlyArray<Row>, screen: Screen): string => {
  const drawn = columns
    .map(({ cell, least, name }) => {
      const cells = rows.map((row) => oneLine(cell(row)))
      return { name, cells, least, width: Math.max(displayWidth(name), ...cells.map(displayWidth)) }
    })
    .filter(({ cells }) => cells.some((cell) => cell !== ""))
  const widths = shrink(drawn, screen.width)
  if (widths === undefined) {
    return rows
      .map((_, at) =>
        record(
          drawn.map(({ cells, name }) => [name, cells[at] ?? ""]),
          screen
        )
      )
      .join("\n\n")
  }
  const line = (cells: ReadonlyArray<string>) =>
    cells
      .map((cell, at) => fit(cell, widths[at] ?? 0))
      .join(" ".repeat(gap))
      .trimEnd()
  return [
    styled(screen, "bold", line(drawn.map(({ name }) => name))),
    ...rows.map((_, at) => line(drawn.map(({ cells }) => cells[at] ?? "")))
  ].join("\n")
}

/** Takes what is too wide from the widest of the columns that may be cut. */
const shrink = (
  columns: ReadonlyArray<{ readonly width: number; readonly least: number | undefined }>,
  room = Infinity
): ReadonlyArray<number> | undefined => {
  const widths = columns.map(({ width }) => width)
  let excess = widths.reduce((sum, width) => sum + width, 0) + gap * (columns.length - 1) - room
  for (; excess > 0; excess--) {
    let widest = -1
    for (const [at, { least }] of columns.entries()) {
      const width = widths[at] ?? 0
      if (least !== undefined && width > least && width > (widths[widest] ?? 0)) widest = at
    }
    if (widest === -1) return undefined
    widths[widest] = (widths[widest] ?? 0) - 1
  }
  return widths
}

/** Names and values, one below the other; a value may have several lines. What is empty is left out. */
export const record = (fields: ReadonlyArray<readonly [name: string, value: string]>, screen: Screen): string => {
  const shown = fields.filter(([, value]) => value !== "")
  const width = Math.max(...shown.map(([name]) => displayWidth(name)))
  return shown
    .flatMap(([name, value]) =>
      lines(value).map((line, at) => {
        const label = styled(screen, "dim", fit(at === 0 ? name : "", width))
        return `${label}${" ".repeat(gap)}${line}`.trimEnd()
      })
    )
    .join("\n")
}
