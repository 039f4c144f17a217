/** Writes todos as todo.txt (github.com/todotxt/todo.txt), one per line. */
import type { Todo } from "@todo/core/domain"
import * as Stream from "effect/Stream"
import type { ConversionNotes } from "./ConversionNotes.ts"

/** One line per todo: the list is its project, tags are its contexts. Content without a place is added to `notes`. */
export const format = <E, R>(
  pages: Stream.Stream<ReadonlyArray<Todo>, E, R>,
  /** The names of the lists. */
  lists: ReadonlyMap<string, string>,
  notes: ConversionNotes
): Stream.Stream<string, E, R> =>
  Stream.suspend(() => {
    let number = 0
    return Stream.map(pages, (page) => page.map((todo) => `${line(todo, lists, ++number, notes)}\n`).join(""))
  })

const priorities = { none: undefined, high: "A", medium: "B", low: "C" } as const

const line = (todo: Todo, lists: ReadonlyMap<string, string>, number: number, notes: ConversionNotes): string => {
  const { completedAt, createdAt, description, due, listId, priority, tags, title } = todo
  const word = (sign: string, text: string) => {
    if (/\s/.test(text)) notes.add(number, "white space in a tag or in the name of a list becomes an underscore")
    return sign + text.replace(/\s/g, "_")
  }
  const list = listId === null ? undefined : lists.get(listId)
  const letter = priorities[priority]
  if (description !== null && description !== "") notes.add(number, "the description is left out")
  if (due !== null && "dateTime" in due) notes.add(number, "the time of the due date is left out")
  if (/[\r\n]/.test(title)) notes.add(number, "line breaks in the title become spaces")
  return [
    // Completed todos keep their priority as `pri:A`, as in most clients. The date before the title makes a title that begins
    // with `x ` or `(A) ` unambiguous.
    ...(completedAt === null ? (letter === undefined ? [] : [`(${letter})`]) : ["x", completedAt.slice(0, 10)]),
    createdAt.slice(0, 10),
    title.replace(/[\r\n]+/g, " ").trim(),
    ...(list === undefined ? [] : [word("+", list)]),
    ...tags.map((tag) => word("@", tag)),
    ...(due === null ? [] : [`due:${"date" in due ? due.date : due.dateTime.slice(0, 10)}`]),
    ...(completedAt !== null && letter !== undefined ? [`pri:${letter}`] : [])
  ].join(" ")
}
