/** Todos as a table (RFC 4180), for spreadsheets. */
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

/** A row for each todo, below the names of the columns; the same todos give the same text. */
export const toCsv = <E, R>(
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
  harmless(todo.title),
  harmless(todo.description ?? ""),
  String(todo.completed),
  todo.completedAt ?? "",
  todo.priority,
  todo.due === null ? "" : "date" in todo.due ? todo.due.date : todo.due.dateTime,
  todo.due !== null && "timeZone" in todo.due ? todo.due.timeZone : "",
  harmless(joinTags(todo.tags)),
  harmless((todo.listId === null ? undefined : lists.get(todo.listId)) ?? ""),
  todo.createdAt,
  todo.updatedAt
]

const record = (cells: ReadonlyArray<string>): string => `${cells.map(quoted).join(",")}\r\n`

const quoted = (cell: string): string => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)

/**
 * Tags with commas between them. A comma or a backslash within a tag has a backslash before it, and so has white space
 * at its begin or end: white space without one is around a tag, and not of it.
 */
const joinTags = (tags: ReadonlyArray<string>): string =>
  tags.map((tag) => tag.replace(/[\\,]|^\s|\s$/g, "\\$&")).join(",")

/** Each tag once; between two commas without anything there is none. */
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
 * Spreadsheets run a text that begins so as a formula (CWE-1236), so it gets an apostrophe before it, which they take
 * as "this is text". A text that has apostrophes there gets one more: what was there can be told.
 */
const harmless = (text: string): string => (/^'*[=+\-@\t\r]/.test(text) ? `'${text}` : text)

/** The text that `harmless` was given. */
export const exactly = (cell: string): string => (/^'+[=+\-@\t\r]/.test(cell) ? cell.slice(1) : cell)
