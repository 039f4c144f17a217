import { styleText } from "node:util"
import { displayWidth } from "effect/cli/CliOutput"
import { fit, lines, oneLine, wrap } from "../terminal/TerminalText.ts"

/** What human output is rendered for. */
export interface Screen {
  /** In cells; without one (a file, a pipe) nothing is cut. */
  readonly width: number | undefined
  readonly colour: boolean
}

type Style = Parameters<typeof styleText>[0]

/** Styled where there is colour. */
export const styled = (screen: Screen, format: Style, text: string): string =>
  screen.colour ? styleText(format, text, { validateStream: false }) : text

export interface Column<Row> {
  readonly name: string
  readonly cell: (row: Row) => string
  /** May be cut down to so many cells. Other columns are never cut. */
  readonly minWidth?: number
  /** Only ever in addition: what it says has to be readable without colour. */
  readonly style?: (row: Row) => Style | undefined
  /** Where it is not in a row but has a line of its own, and room for words. */
  readonly inRecord?: { readonly name: string; readonly cell: (row: Row) => string }
}

const gap = 2

/**
 * Rows under names. Columns without anything in them are left out. Where even the least
 * does not fit, each row becomes a record of its own, so that nothing is lost.
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

/** A cell of which the text is styled, and the rest is not. */
const styledCell = (screen: Screen, style: Style | undefined, cell: string, width: number): string => {
  const text = fit(cell, width)
  const end = text.trimEnd().length
  return style === undefined || end === 0 ? text : styled(screen, style, text.slice(0, end)) + text.slice(end)
}

/** Takes what is too wide from the widest of the columns that may be cut. */
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
 * Names and values, one below the other; a value may have several lines. What is empty is left out. Names take at
 * least so many cells, so that records below each other line up.
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
