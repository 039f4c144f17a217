/** Writes todos as CSV (RFC 4180), for spreadsheets. */
import type { Todo } from "@todo/core/domain"
import * as Stream from "effect/Stream"

/** The columns, in order. */
export const columns = [
  "id",
  "title",
  "description",
  "completed",
  "completedAt",
  "priority",
  "due",
  "timeZone",
  "tags",
  "list",
  "createdAt",
  "updatedAt"
] as const

/** A header and one row per todo. The same todos give the same text. */
export const format = <E, R>(
  pages: Stream.Stream<ReadonlyArray<Todo>, E, R>,
  /** The names of the lists. */
  lists: ReadonlyMap<string, string>
): Stream.Stream<string, E, R> =>
  Stream.concat(
    Stream.succeed(record(columns)),
    Stream.map(pages, (page) => page.map((todo) => record(cells(todo, lists))).join(""))
  )

const cells = (todo: Todo, lists: ReadonlyMap<string, string>): ReadonlyArray<string> => [
  todo.id,
  escapeFormula(todo.title),
  escapeFormula(todo.description ?? ""),
  String(todo.completed),
  todo.completedAt ?? "",
  todo.priority,
  todo.due === null ? "" : "date" in todo.due ? todo.due.date : todo.due.dateTime,
  todo.due !== null && "timeZone" in todo.due ? todo.due.timeZone : "",
  escapeFormula(joinTags(todo.tags)),
  escapeFormula((todo.listId === null ? undefined : lists.get(todo.listId)) ?? ""),
  todo.createdAt,
  todo.updatedAt
]

const record = (cells: ReadonlyArray<string>): string => `${cells.map(quoted).join(",")}\r\n`

const quoted = (cell: string): string => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)

/**
 * Joins tags with commas. A backslash escapes a comma or a backslash within a tag, and white space at its start or end:
 * white space without a backslash is not part of a tag.
 */
const joinTags = (tags: ReadonlyArray<string>): string =>
  tags.map((tag) => tag.replace(/[\\,]|^\s|\s$/g, "\\$&")).join(",")

/** Splits joined tags. Duplicates and empty tags are left out. */
export const splitTags = (text: string): ReadonlyArray<string> => {
  const tags = text.split(/(?<=(?<!\\)(?:\\{2})*),/).map((given) => {
    const tag = given.trim()
    const isEscaped = /(?<!\\)(?:\\{2})*\\$/.test(tag)
    const end = given.trimEnd().length
    return (isEscaped ? tag + given.slice(end, end + 1) : tag).replace(/\\(.)/gs, "$1")
  })
  return [...new Set(tags)].filter((tag) => tag !== "")
}

/**
 * Escapes text that a spreadsheet would run as a formula (CWE-1236) with a leading apostrophe, which means "this is text".
 * Text that already has leading apostrophes gets one more, so that the import can undo the escape.
 */
const escapeFormula = (text: string): string => (/^'*[=+\-@\t\r]/.test(text) ? `'${text}` : text)

/** Undoes `escapeFormula`. */
export const unescapeFormula = (cell: string): string => (/^'+[=+\-@\t\r]/.test(cell) ? cell.slice(1) : cell)
