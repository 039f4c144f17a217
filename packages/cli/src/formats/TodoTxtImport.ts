/** Reads todos from todo.txt (github.com/todotxt/todo.txt), one per line. */
import { CalendarDate } from "@todo/core/domain"
import { type ForeignImport, LineReader } from "@todo/core/admin"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { ConversionNotes } from "./ConversionNotes.ts"

/** The longest line, in bytes; no title with its tags is longer. */
const longest = 64 * 1024

export const parse = <E, R>(
  bytes: Stream.Stream<Uint8Array, E, R>,
  notes: ConversionNotes
): Stream.Stream<ForeignImport.UnvalidatedTodo, E, R> =>
  Stream.suspend(() => {
    const lines = new LineReader(longest)
    return bytes.pipe(
      Stream.map(Option.some),
      Stream.concat(Stream.succeed(Option.none())),
      Stream.flatMap((part) => Stream.fromIterable(Option.isSome(part) ? lines.read(part.value) : lines.end())),
      Stream.filter(({ text }) => text === undefined || text.trim() !== ""),
      Stream.map(({ number, text }) =>
        text === undefined
          ? { line: number, source: "", todo: {}, problem: "the line is not UTF-8, or too long" }
          : { line: number, source: text.trim(), todo: todoOf(text.trim(), number, notes) }
      )
    )
  })

const isDate = Schema.is(CalendarDate)

/**
 * `x` if the todo is completed, the priority, the dates of completion and creation, the text. Some clients complete a todo
 * by adding `x` and a date before the line, so the priority comes after the date.
 */
const shape =
  /^(?:x (?:\((?<first>[A-Z])\) )?(?:(?<completed>\d{4}-\d\d-\d\d) )?)?(?:(?<!^x \([A-Z]\) .*)\((?<letter>[A-Z])\) )?(?:(?<created>\d{4}-\d\d-\d\d) )?(?<text>.*)$/s

/** Text that matches no field stays in the title. */
const todoOf = (line: string, number: number, notes: ConversionNotes): unknown => {
  const { completed, created, first, letter, text = "" } = shape.exec(line)?.groups ?? {}
  const tags = new Set<string>()
  let due: string | undefined
  let priority = first ?? letter
  const title = text
    .replace(/(?<=^|\s)\S+\s*/g, (word) => {
      const [, key, value = ""] = /^([+@]|due:|pri:(?=[A-Z]\s*$))(.+)$/s.exec(word.trim()) ?? []
      if (key === "+" || key === "@") tags.add(value)
      else if (key === "due:" && due === undefined && isDate(value)) due = value
      else if (key === "pri:" && (priority ?? value) === value) priority = value
      else return word
      return ""
    })
    .trim()
  if (priority !== undefined && priority > "C") notes.add(number, `priority ${priority} is imported as low`)
  return {
    title: title === "" ? text : title,
    completed: line.startsWith("x "),
    priority: priority === undefined ? "none" : (priorities[priority] ?? "low"),
    tags: [...tags],
    ...(due !== undefined && { due: { date: due } }),
    ...(created !== undefined && { createdAt: `${created}T00:00:00Z` }),
    ...(completed !== undefined && { completedAt: `${completed}T00:00:00Z` })
  }
}

const priorities: Record<string, "high" | "medium"> = { A: "high", B: "medium" }
