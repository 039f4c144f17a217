/** Writes todos as iCalendar (RFC 5545), for calendar and task programs. */
import type { Due, Todo } from "@todo/core/domain"
import * as DateTime from "effect/DateTime"
import * as Stream from "effect/Stream"
import ICAL from "ical.js"
import { instantOf } from "../time/LocalTime.ts"

// The limit is 75 octets a line (RFC 5545, 3.1). The library does not count the leading space of continuation lines.
ICAL.foldLength = 74

/** A calendar of todos. The same todos give the same text. */
export const format = <E, R>(pages: Stream.Stream<ReadonlyArray<Todo>, E, R>): Stream.Stream<string, E, R> =>
  Stream.succeed("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//todo//todo-admin//EN\r\n").pipe(
    Stream.concat(Stream.map(pages, (page) => page.map((todo) => `${component(todo)}\r\n`).join(""))),
    Stream.concat(Stream.succeed("END:VCALENDAR\r\n"))
  )

/** 1 is the highest, 0 is none (RFC 5545, 3.8.1.9). */
const priorities = { none: undefined, high: 1, medium: 5, low: 9 } as const

/** The largest INTEGER (RFC 5545, 3.3.8). */
const mostInteger = 2 ** 31 - 1

const component = (todo: Todo): string => {
  const vtodo = new ICAL.Component("vtodo")
  const set = (name: string, value: string | number | ICAL.Time | undefined) => {
    if (value !== undefined) vtodo.addPropertyWithValue(name, value)
  }
  const utc = (time: string) => ICAL.Time.fromDateTimeString(`${time.slice(0, 19)}Z`)

  set("uid", todo.id)
  // Without a METHOD this is the time of the last change (RFC 5545, 3.8.7.2), so the text does not depend on the present.
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
    vtodo.addProperty(categories)
  }
  return vtodo.toString()
}

/** TEXT may contain line breaks and tabs, but no other control characters. */
const text = (given: string): string => given.replace(/\r\n?/g, "\n").replace(/[\p{Cc}--[\t\n]]/gv, "\uFFFD")

/**
 * A date, or an instant in UTC. Every program reads UTC; another time zone would need its rules in the file. If the year of
 * the instant does not have four digits, the local time is written instead.
 */
const due = (given: Due): ICAL.Time => {
  if ("date" in given) return ICAL.Time.fromDateString(given.date)
  const instant = DateTime.formatIso(instantOf(given))
  return /^(?!0000)\d{4}-/.test(instant)
    ? ICAL.Time.fromDateTimeString(`${instant.slice(0, 19)}Z`)
    : ICAL.Time.fromDateTimeString(given.dateTime)
}
