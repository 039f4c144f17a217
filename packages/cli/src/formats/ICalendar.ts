/** Todos as iCalendar (RFC 5545), for calendars and the lists of tasks that come with them. */
import type { Due, Todo } from "@todo/core/domain"
import * as DateTime from "effect/DateTime"
import * as Stream from "effect/Stream"
import ICAL from "ical.js"
import { instantOf } from "../views/DueView.ts"

// Without the space that begins the lines behind the first: 75 with it (RFC 5545, 3.1).
ICAL.foldLength = 74

/** A calendar of todos; the same ones give the same text. */
export const toICalendar = <E, R>(pages: Stream.Stream<ReadonlyArray<Todo>, E, R>): Stream.Stream<string, E, R> =>
  Stream.succeed("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//todo//todo-admin//EN\r\n").pipe(
    Stream.concat(Stream.map(pages, (page) => page.map((todo) => `${component(todo)}\r\n`).join(""))),
    Stream.concat(Stream.succeed("END:VCALENDAR\r\n"))
  )

/** 1 is the highest, 0 is none (RFC 5545, 3.8.1.9). */
const priorities = { none: undefined, high: 1, medium: 5, low: 9 } as const

/** Most that an INTEGER may be (RFC 5545, 3.3.8). */
const mostInteger = 2 ** 31 - 1

const component = (todo: Todo): string => {
  const made = new ICAL.Component("vtodo")
  const set = (name: string, value: string | number | ICAL.Time | undefined) => {
    if (value !== undefined) made.addPropertyWithValue(name, value)
  }
  const utc = (time: string) => ICAL.Time.fromDateTimeString(`${time.slice(0, 19)}Z`)

  set("uid", todo.id)
  // Without a METHOD it says when the todo was last written (RFC 5545, 3.8.7.2), and so does not depend on today.
  set("dtstamp", utc(todo.updatedAt))
  set("created", utc(todo.createdAt))
  set("last-modified", utc(todo.updatedAt))
  set("sequence", Math.min(todo.revision, mostInteger))
  set("summary", text(todo.title))
  set("description", todo.description === null ? undefined : text(todo.description))
  set("due", todo.due === null ? undefined : due(todo.due))
  set("priority", priorities[todo.priority])
  set("status", todo.completed ? "COMPLETED" : "NEEDS-ACTION")
  set("percent-complete", todo.completed ? 100 : undefined)
  set("completed", todo.completedAt === null ? undefined : utc(todo.completedAt))
  if (todo.tags.length > 0) {
    const categories = new ICAL.Property("categories")
    categories.setValues(todo.tags.map(text))
    made.addProperty(categories)
  }
  return made.toString()
}

/** TEXT holds line breaks and tabs, and no other control character. */
const text = (given: string): string => given.replace(/\r\n?/g, "\n").replace(/[\p{Cc}--[\t\n]]/gv, "\uFFFD")

/**
 * A day, or an instant in UTC: every reader understands that, and none needs the rules of a zone, which the file would
 * have to carry. Where the instant has no year of four digits, the time as the clocks there show it.
 */
const due = (given: Due): ICAL.Time => {
  if ("date" in given) return ICAL.Time.fromDateString(given.date)
  const instant = DateTime.formatIso(instantOf(given))
  return /^(?!0000)\d{4}-/.test(instant)
    ? ICAL.Time.fromDateTimeString(`${instant.slice(0, 19)}Z`)
    : ICAL.Time.fromDateTimeString(given.dateTime)
}
