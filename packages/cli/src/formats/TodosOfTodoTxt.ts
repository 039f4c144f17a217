import { CalendarDate } from "@todo/core/domain"
import { type Adoption, LineReader } from "@todo/core/admin"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"

/** More bytes than a title can have, and its tags. */
const longest = 64 * 1024

/** The todos of a todo.txt (github.com/todotxt/todo.txt), one a line. */
export const todosOfTodoTxt = <E, R>(bytes: Stream.Stream<Uint8Array, E, R>): Stream.Stream<Adoption.Found, E, R> =>
  Stream.suspend(() => {
    const lines = new LineReader(longest)
    return bytes.pipe(
      Stream.map(Option.some),
      Stream.concat(Stream.succeed(Option.none())),
      Stream.flatMap((part) => Stream.fromIterable(Option.isSome(part) ? lines.read(part.value) : lines.end())),
      Stream.filter(({ text }) => text === undefined || text.trim() !== ""),
      Stream.map(({ number, text }) =>
        text === undefined
          ? { line: number, source: "", todo: {}, wrong: "the line is not UTF-8, or too long" }
          : { line: number, source: text.trim(), todo: todoOf(text.trim()) }
      )
    )
  })

const isDate = Schema.is(CalendarDate)

/** `x` where it is done, or else a priority; dates of completion and creation; the text. */
const shape =
  /^(?:x (?:(?<completed>\d{4}-\d\d-\d\d) )?|\((?<letter>[A-Z])\) )?(?:(?<created>\d{4}-\d\d-\d\d) )?(?<text>.*)$/s

/** What cannot be said in fields of ours stays in the title. */
const todoOf = (line: string): unknown => {
  const { completed, created, letter, text = "" } = shape.exec(line)?.groups ?? {}
  const tags = new Set<string>()
  let due: string | undefined
  let priority = letter
  const title = text.split(/\s+/).filter((word) => {
    const [, tag] = /^[+@](.+)$/s.exec(word) ?? []
    const [, day] = /^due:(.+)$/s.exec(word) ?? []
    const [, kept] = /^pri:([A-Z])$/.exec(word) ?? []
    if (tag !== undefined) tags.add(tag)
    else if (day !== undefined && due === undefined && isDate(day)) due = day
    else if (kept !== undefined && priority === undefined) priority = kept
    else return true
    return false
  })
  return {
    title: title.length > 0 ? title.join(" ") : text,
    completed: line.startsWith("x "),
    priority: priority === undefined ? "none" : (priorities[priority] ?? "low"),
    tags: [...tags],
    ...(due !== undefined && { due: { date: due } }),
    ...(created !== undefined && { createdAt: `${created}T00:00:00Z` }),
    ...(completed !== undefined && { completedAt: `${completed}T00:00:00Z` })
  }
}

const priorities: Record<string, "high" | "medium"> = { A: "high", B: "medium" }
