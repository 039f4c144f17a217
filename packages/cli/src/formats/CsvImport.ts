/** Reads todos from CSV (RFC 4180), as spreadsheets and our own export write it. */
import type { ForeignImport } from "@todo/core/admin"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { columns, unescapeFormula, splitTags } from "./CsvExport.ts"
import { type CsvRecord, CsvReader } from "./CsvReader.ts"
import type { ConversionNotes } from "./ConversionNotes.ts"

/** The longest record, in characters; no todo is longer. */
const longest = 64 * 1024

/** The first line names the columns of our export; only `title` is required. */
export const parse = <E, R>(
  bytes: Stream.Stream<Uint8Array, E, R>,
  notes: ConversionNotes
): Stream.Stream<ForeignImport.UnvalidatedTodo, E, R> =>
  Stream.suspend(() => {
    const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
    const reader = new CsvReader(longest)
    let names: ReadonlyArray<string> | undefined
    let isOver = false

    const invalid = (line: number, problem: string): ForeignImport.UnvalidatedTodo => {
      isOver = true
      return { line, source: "", todo: {}, problem }
    }
    const found = function* (records: Iterable<CsvRecord>): Generator<ForeignImport.UnvalidatedTodo> {
      for (const record of records) {
        const { cells, line } = record
        // Excel may write its separator on the first line. Rows of empty cells are ignored.
        if (names === undefined && cells[0] === "sep=") continue
        if (cells.every((cell) => cell === "")) continue
        if (names !== undefined) {
          yield todoOf(names, record, notes)
          continue
        }
        names = cells.map(columnOf)
        const problem = problemOf(names)
        if (problem !== undefined) yield invalid(line, problem)
        if (isOver) return
      }
      if (reader.tooLong) yield invalid(reader.line, "the row is longer than any todo; close the quotes of its cells")
    }
    const read = function* (part: Uint8Array): Generator<ForeignImport.UnvalidatedTodo> {
      // Line by line, so that a message can name the invalid line.
      for (let start = 0; start < part.length;) {
        if (isOver) return
        const end = part.indexOf(0x0a, start) + 1 || part.length
        const text = decoded(part.subarray(start, end))
        if (text === undefined) yield invalid(reader.line, "the file is not UTF-8 from this line on; save it as UTF-8")
        else yield* found(reader.read(text))
        start = end
      }
    }
    const decoded = (part?: Uint8Array): string | undefined => {
      try {
        return decoder.decode(part, { stream: part !== undefined })
      } catch {
        return undefined
      }
    }
    const end = function* (): Generator<ForeignImport.UnvalidatedTodo> {
      if (isOver) return
      if (decoded() === undefined)
        yield invalid(reader.line, "the file is not UTF-8 from this line on; save it as UTF-8")
      else if (reader.isOpen) yield invalid(reader.line, "a quote is not closed; close it")
      else yield* found(reader.end())
    }
    return bytes.pipe(
      Stream.map(Option.some),
      Stream.concat(Stream.succeed(Option.none())),
      Stream.flatMap((part) => Stream.fromIterable(Option.isSome(part) ? read(part.value) : end()))
    )
  })

/** The column that is meant, whatever its case and the spaces around it. */
const columnOf = (cell: string): string => {
  const name = cell.trim()
  return columns.find((column) => column.toLowerCase() === name.toLowerCase()) ?? name
}

/** What is wrong with the names of the columns. A column without a name may be there, as long as nothing is in it. */
const problemOf = (names: ReadonlyArray<string>): string | undefined => {
  const unknown = names.filter((name) => name !== "" && !columns.some((column) => column === name))
  const twice = names.filter((name, at) => name !== "" && names.indexOf(name) < at)
  const problem =
    unknown.length > 0
      ? `unknown column: ${unknown.join(", ")}`
      : twice.length > 0
        ? `duplicate column: ${twice.join(", ")}`
        : names.includes("title")
          ? undefined
          : "title is missing"
  return (
    problem &&
    `${problem}; the first line must name title and any other of these columns, each once: ${columns.join(", ")}`
  )
}

const todoOf = (
  names: ReadonlyArray<string>,
  { cells, isBroken, line }: CsvRecord,
  notes: ConversionNotes
): ForeignImport.UnvalidatedTodo => {
  const source = JSON.stringify(cells)
  const invalid = (problem: string): ForeignImport.UnvalidatedTodo => ({ line, source, todo: {}, problem })
  if (isBroken) return invalid("there is text after a closing quote; double the quotes within a cell")
  if (cells.length !== names.length) return invalid(`${cells.length} cells under ${names.length} columns`)
  // An empty cell is no value. White space is kept only in title and description.
  const {
    "": unnamed,
    completed,
    completedAt,
    createdAt,
    description,
    due,
    id,
    list,
    priority,
    tags,
    timeZone,
    title,
    updatedAt
  } = Object.fromEntries(
    names.flatMap((name, at) => {
      const cell = cells[at] ?? ""
      const value = name === "title" || name === "description" ? cell : cell.trim()
      return value === "" ? [] : [[name, value]]
    })
  )
  if (unnamed !== undefined)
    return invalid("a cell has a value but its column has no name; name the column, or empty the cell")
  if (timeZone !== undefined && due === undefined) return invalid("timeZone needs a due in the same row")
  const isCompleted = completed === undefined ? undefined : booleans.get(completed.toLowerCase())
  if (completed !== undefined && isCompleted === undefined) {
    return invalid("completed must be one of true, false, yes, no, 1, 0")
  }
  if (list !== undefined) notes.add(line, "the name of the list is left out: todos are imported without a list")
  if (updatedAt !== undefined) notes.add(line, "updatedAt is left out: it becomes the time of the import")
  const todo = {
    ...(id !== undefined && { id: id.toLowerCase() }),
    ...(title !== undefined && { title: unescapeFormula(title) }),
    ...(description !== undefined && { description: unescapeFormula(description) }),
    ...(isCompleted !== undefined && { completed: isCompleted }),
    ...(completedAt !== undefined && { completedAt }),
    ...(priority !== undefined && { priority: priority.toLowerCase() }),
    ...(due !== undefined && { due: timeZone === undefined ? { date: due } : { dateTime: due, timeZone } }),
    ...(tags !== undefined && { tags: splitTags(unescapeFormula(tags)) }),
    ...(createdAt !== undefined && { createdAt })
  }
  return { line, source, todo }
}

const booleans = new Map([
  ["true", true],
  ["yes", true],
  ["1", true],
  ["false", false],
  ["no", false],
  ["0", false]
])
