import { displayWidth } from "effect/cli/CliOutput"
import { type Screen, type Style, styled } from "../terminal/Screen.ts"
import { fit, lines, oneLine, wrap } from "../terminal/TerminalText.ts"

export interface Column<Row> {
  readonly name: string
  readonly cell: (row: Row) => string
  /** The column may be cut to this number of cells. Columns without it are never cut. */
  readonly minWidth?: number
  /** Colour must not be the only carrier of information. */
  readonly style?: (row: Row) => Style | undefined
  /** Name and value for a record, where each column gets its own line and there is room for words. */
  readonly inRecord?: { readonly name: string; readonly cell: (row: Row) => string }
}

const gap = 2

/**
 * Renders rows under the names of the columns. Empty columns are left out. If the minimum widths do not fit, each row is
 * rendered as a record, so that nothing is lost.
 */
export const table = <Row>(columns: ReadonlyArray<Column<Row>>, rows: ReadonlyArray<Row>, screen: Screen): string => {
  const visible = columns
    .map((column) => {
      const cells = rows.map((row) => oneLine(column.cell(row)))
      const width = cells.reduce((width, cell) => Math.max(width, displayWidth(cell)), displayWidth(column.name))
      return { ...column, cells, width }
    })
    .filter(({ cells }) => cells.some((cell) => cell !== ""))
  const widths = shrink(visible, screen.width)
  if (widths === undefined) {
    const minWidth = Math.max(...visible.map(({ inRecord, name }) => displayWidth(inRecord?.name ?? name)))
    return rows
      .map((row) =>
        record(
          visible.map(({ inRecord, cell, name, style }) => [
            inRecord?.name ?? name,
            oneLine((inRecord?.cell ?? cell)(row)),
            style?.(row)
          ]),
          screen,
          minWidth
        )
      )
      .join("\n\n")
  }
  const line = (cells: ReadonlyArray<string>, style: (at: number) => Style | undefined) =>
    cells
      .map((cell, at) => styledCell(screen, style(at), cell, widths[at] ?? 0))
      .join(" ".repeat(gap))
      .trimEnd()
  return [
    line(
      visible.map(({ name }) => name),
      () => "bold"
    ),
    ...rows.map((row, at) =>
      line(
        visible.map(({ cells }) => cells[at] ?? ""),
        (column) => visible[column]?.style?.(row)
      )
    )
  ].join("\n")
}

/** Pads a cell and styles its text, but not the padding. */
const styledCell = (screen: Screen, style: Style | undefined, cell: string, width: number): string => {
  const text = fit(cell, width)
  const end = text.trimEnd().length
  return style === undefined || end === 0 ? text : styled(screen, style, text.slice(0, end)) + text.slice(end)
}

/** Shrinks the widest of the columns that may be cut until the table fits. `undefined` if it cannot fit. */
const shrink = (
  columns: ReadonlyArray<{ readonly width: number; readonly minWidth?: number }>,
  room = Infinity
): ReadonlyArray<number> | undefined => {
  const widths = columns.map(({ width }) => width)
  let excess = widths.reduce((sum, width) => sum + width, 0) + gap * (columns.length - 1) - room
  for (; excess > 0; excess--) {
    let widest = -1
    for (const [at, { minWidth }] of columns.entries()) {
      const width = widths[at] ?? 0
      if (minWidth !== undefined && width > minWidth && width > (widths[widest] ?? 0)) widest = at
    }
    if (widest === -1) return undefined
    widths[widest] = (widths[widest] ?? 0) - 1
  }
  return widths
}

/**
 * Renders one name and value per line. A value may have several lines; empty values are left out. Names take at least
 * `minWidth` cells, so that several records are aligned.
 */
export const record = (
  fields: ReadonlyArray<readonly [name: string, value: string, style?: Style | undefined]>,
  screen: Screen,
  minWidth = 0
): string => {
  const shown = fields.filter(([, value]) => value !== "")
  const width = Math.max(minWidth, ...shown.map(([name]) => displayWidth(name)))
  return shown
    .flatMap(([name, value, style]) =>
      lines(value)
        .flatMap((line) => wrap(line, (screen.width ?? Infinity) - width - gap))
        .map((line, at) => {
          const label = styled(screen, "dim", fit(at === 0 ? name : "", width))
          return `${label}${" ".repeat(gap)}${style === undefined ? line : styled(screen, style, line)}`.trimEnd()
        })
    )
    .join("\n")
}
