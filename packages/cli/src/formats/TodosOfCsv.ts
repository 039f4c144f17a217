import type { Adoption } from "@todo/core/admin"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { columns, exactly, splitTags } from "./Csv.ts"
import { type CsvRecord, CsvReader } from "./CsvReader.ts"

/** More characters than a todo can have. */
const longest = 64 * 1024

/** The todos of a table, whose first line names its columns: those that we export, any of them but `title` left out. */
export const todosOfCsv = <E, R>(bytes: Stream.Stream<Uint8Array, E, R>): Stream.Stream<Adoption.Found, E, R> =>
  Stream.suspend(() => {
    const decoder = new TextDecoder("utf-8", { fatal: true })
    const reader = new CsvReader(longest)
    let names: ReadonlyArray<string> | undefined
    let isOver = false

    const wrong = (line: number, wrong: string): Adoption.Found => {
      isOver = true
      return { line, source: "", todo: {}, wrong }
    }
    const found = function* (records: Iterable<CsvRecord>): Generator<Adoption.Found> {
      for (const { cells, line } of records) {
        if (names !== undefined) {
          yield todoOf(names, cells, line)
          continue
        }
        names = cells
        const unknown = names.filter((name) => !columns.some((column) => column === name)).length
        if (unknown > 0 || !names.includes("title") || new Set(names).size < names.length) {
          yield wrong(line, `the first line has to name columns, each once, title among them: ${columns.join(", ")}`)
        }
        if (isOver) return
      }
      if (reader.tooLong) yield wrong(reader.line, "longer than any todo: perhaps a quote is not closed")
    }
    const read = function* (part?: Uint8Array): Generator<Adoption.Found> {
      if (isOver) return
      let text: string
      try {
        text = decoder.decode(part, { stream: part !== undefined })
      } catch {
        yield wrong(reader.line, "from here on it is not UTF-8")
        return
      }
      yield* found(reader.read(text))
      if (part !== undefined || isOver) return
      if (reader.isOpen) yield wrong(reader.line, "a quote is not closed")
      else yield* found(reader.end())
    }
    return bytes.pipe(
      Stream.map(Option.some),
      Stream.concat(Stream.succeed(Option.none())),
      Stream.flatMap((part) => Stream.fromIterable(read(Option.getOrUndefined(part))))
    )
  })

const todoOf = (names: ReadonlyArray<string>, cells: ReadonlyArray<string>, line: number): Adoption.Found => {
  const source = JSON.stringify(cells)
  if (cells.length !== names.length) {
    return { line, source, todo: {}, wrong: `${cells.length} cells under ${names.length} columns` }
  }
  // An empty cell says nothing.
  const { completed, completedAt, description, due, id, tags, timeZone, title, ...rest } = Object.fromEntries(
    names.flatMap((name, at) => (cells[at] === "" ? [] : [[name, cells[at] ?? ""]]))
  )
  const { createdAt, priority } = rest
  const todo = {
    ...(id !== undefined && { id: id.toLowerCase() }),
    ...(title !== undefined && { title: exactly(title) }),
    ...(description !== undefined && { description: exactly(description) }),
    ...(completed !== undefined && { completed: booleans[completed.toLowerCase()] ?? completed }),
    ...(completedAt !== undefined && { completedAt }),
    ...(priority !== undefined && { priority }),
    ...(due !== undefined && { due: timeZone === undefined ? { date: due } : { dateTime: due, timeZone } }),
    ...(tags !== undefined && { tags: splitTags(exactly(tags)) }),
    ...(createdAt !== undefined && { createdAt })
  }
  return { line, source, todo }
}

const booleans: Record<string, boolean> = { true: true, false: false }
