/** Reads the todos of a calendar: the VTODO components of iCalendar (RFC 5545, 3.6.2). */
import { type ForeignImport, LineReader } from "@todo/core/admin"
import { TimeZone, TodoId } from "@todo/core/domain"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import ICAL from "ical.js"
import { machineTimeZone } from "../time/LocalTime.ts"
import type { ConversionNotes } from "./ConversionNotes.ts"

/** The longest line, in bytes, and the longest todo, in characters. */
const longest = { line: 64 * 1024, todo: 1024 * 1024 }

/** Properties of the calendar itself. */
const ofCalendars = /^(PRODID|VERSION|CALSCALE|METHOD)[;:]/i

/** Properties that are imported, or carry no content of the todo. */
const known = new Set(
  "uid recurrence-id dtstamp sequence created summary description due priority categories status completed percent-complete".split(
    " "
  )
)

/** Only one todo is in memory at a time. */
export const parse = <E, R>(
  bytes: Stream.Stream<Uint8Array, E, R>,
  notes: ConversionNotes
): Stream.Stream<ForeignImport.UnvalidatedTodo, E, R> =>
  Stream.suspend(() => {
    const reader = new LineReader(longest.line)
    const zones: Zones = new Map()
    let [isCalendar, isOver] = [false, false]
    let component: { name: string; begin: number; depth: number; size: number; lines: Array<string> } | undefined

    const invalid = (line: number, problem: string): ForeignImport.UnvalidatedTodo => {
      isOver = true
      return { line, source: "", todo: {}, problem }
    }
    const found = function* (lines: ReturnType<LineReader["read"]>): Generator<ForeignImport.UnvalidatedTodo> {
      for (const { number, text } of lines) {
        if (isOver) return
        if (text === undefined) yield invalid(number, "the line is not UTF-8, or too long")
        else if (text.trim() !== "") yield* take(number, text)
      }
    }
    const take = function* (number: number, text: string): Generator<ForeignImport.UnvalidatedTodo> {
      const [, edge, name = ""] = /^(BEGIN|END):\s*([\w-]+)\s*$/i.exec(text)?.map((part) => part.toUpperCase()) ?? []
      if (component !== undefined) {
        component.lines.push(text)
        component.size += text.length
        if (component.size > longest.todo) yield invalid(component.begin, `${component.name} is longer than any todo`)
        component.depth += edge === "BEGIN" ? 1 : edge === "END" ? -1 : 0
        if (component.depth > 0) return
        const { begin, lines } = component
        if (component.name === "VTODO") yield todoOf(lines, zones, begin, notes)
        else if (component.name === "VTIMEZONE") zones.set(zoneOf(lines), lines)
        else notes.add(begin, `${component.name} is left out`)
        component = undefined
      } else if (edge !== undefined && name === "VCALENDAR") isCalendar = edge === "BEGIN"
      else if (!isCalendar) yield invalid(number, "this is not a calendar; the first line must be BEGIN:VCALENDAR")
      else if (edge === "BEGIN") component = { name, begin: number, depth: 1, size: 0, lines: [text] }
      else if (!ofCalendars.test(text) && !/^\s/.test(text)) notes.add(number, `${nameOf(text)} is left out`)
    }
    const end = function* (): Generator<ForeignImport.UnvalidatedTodo> {
      yield* found(reader.end())
      if (isCalendar && !isOver)
        yield invalid(component?.begin ?? 1, "the file ends before the END of this component; it may be cut off")
    }
    return bytes.pipe(
      Stream.map(Option.some),
      Stream.concat(Stream.succeed(Option.none())),
      Stream.flatMap((part) => Stream.fromIterable(Option.isSome(part) ? found(reader.read(part.value)) : end()))
    )
  })

/** The time zones of the file, by name. */
type Zones = Map<string, ReadonlyArray<string>>

const zoneOf = (lines: ReadonlyArray<string>): string =>
  lines.map((line) => /^TZID:\s*(.*?)\s*$/i.exec(line)?.[1]).find((name) => name !== undefined) ?? ""

const nameOf = (line: string): string => (/^[^:;]*/.exec(line)?.[0] ?? "").toUpperCase()

const isTimeZone = Schema.is(TimeZone)
const isId = Schema.is(TodoId)

const todoOf = (
  lines: ReadonlyArray<string>,
  zones: Zones,
  line: number,
  notes: ConversionNotes
): ForeignImport.UnvalidatedTodo => {
  const note = (message: string) => notes.add(line, message)
  try {
    const named = lines.flatMap((line) => zones.get(/;TZID="?([^":;]+)/i.exec(line)?.[1] ?? "") ?? [])
    const calendar = ["BEGIN:VCALENDAR", ...named, ...lines, "END:VCALENDAR"].join("\r\n")
    const read = new ICAL.Component(ICAL.parse(calendar)).getFirstSubcomponent("vtodo")
    if (read === null) throw new Error("the component is not complete")
    const uid = text(read, "uid")
    const isInstance = read.hasProperty("recurrence-id")
    const id = uid?.toLowerCase()
    const source = isInstance
      ? `${uid} ${String(read.getFirstPropertyValue("recurrence-id"))}`
      : (uid ?? lines.join("\n"))
    for (const { name } of read.getAllProperties()) if (!known.has(name)) note(`${name.toUpperCase()} is left out`)
    for (const { name } of read.getAllSubcomponents()) note(`${name.toUpperCase()} is left out`)
    const [description, due, created] = [text(read, "description"), dueOf(read, note), time(read, "created")]
    const todo = {
      ...(!isInstance && id !== undefined && isId(id) && { id }),
      title: text(read, "summary") ?? "",
      ...(description !== undefined && description !== "" && { description }),
      ...(due !== undefined && { due }),
      priority: priorityOf(number(lines, "PRIORITY")),
      tags: categories(read),
      ...(created !== undefined && { createdAt: instant(created) }),
      ...completion(read, number(lines, "PERCENT-COMPLETE"), note)
    }
    return { line, source, todo }
  } catch (error) {
    return { line, source: "", todo: {}, problem: error instanceof Error ? error.message : String(error) }
  }
}

const text = (component: ICAL.Component, name: string): string | undefined => {
  const value = component.getFirstPropertyValue(name)
  return value === null ? undefined : String(value)
}

/** The unparsed value, because the library reads an invalid number as 0. */
const number = (lines: ReadonlyArray<string>, name: string): string =>
  lines
    .map((line) => /^([\w-]+)(?:;[^:]*)?:(.*)$/.exec(line))
    .find((line) => line?.[1]?.toUpperCase() === name)?.[2]
    ?.trim() ?? "0"

const time = (component: ICAL.Component, name: string): ICAL.Time | undefined => {
  const value = component.getFirstPropertyValue(name)
  if (value !== null && !(value instanceof ICAL.Time))
    throw new Error(`${name.toUpperCase()} must be a date or a date and time`)
  return value ?? undefined
}

const categories = (component: ICAL.Component): ReadonlyArray<string> => {
  const values = component.getAllProperties("categories").flatMap((property) => property.getValues().map(String))
  return [...new Set(values.map((value) => value.trim()))].filter((value) => value !== "")
}

/** 1 to 4 are high, 5 is medium, 6 to 9 are low, 0 is none (RFC 5545, 3.8.1.9). */
const priorityOf = (value: string): string => {
  if (!/^\d$/.test(value)) throw new Error("PRIORITY must be a digit from 0 to 9")
  return value === "0" ? "none" : value < "5" ? "high" : value === "5" ? "medium" : "low"
}

const completion = (component: ICAL.Component, percent: string, note: (message: string) => void) => {
  const [status, at] = [text(component, "status")?.toUpperCase(), time(component, "completed")]
  const completed = status === undefined ? at !== undefined || percent === "100" : status === "COMPLETED"
  if (status !== undefined && status !== "COMPLETED" && status !== "NEEDS-ACTION")
    note(`STATUS ${status} is imported as open`)
  if (at !== undefined && !completed) note("COMPLETED is left out if STATUS is not COMPLETED")
  if (percent !== "0" && percent !== (completed ? "100" : "0")) note("PERCENT-COMPLETE is left out")
  return { completed, ...(completed && at !== undefined && { completedAt: instant(at) }) }
}

const isFloating = ({ zone }: ICAL.Time) => zone === ICAL.Timezone.localTimezone

/** These times must be in UTC. A time without a time zone is read as UTC. */
const instant = (given: ICAL.Time): string => {
  const utc = isFloating(given) ? given : given.convertToZone(ICAL.Timezone.utcTimezone)
  return given.isDate ? `${given.toString()}T00:00:00Z` : `${utc.toString().slice(0, 19)}Z`
}

const dueOf = (component: ICAL.Component, note: (message: string) => void) => {
  const given = time(component, "due")
  if (given === undefined) return undefined
  if (given.isDate) return { date: given.toString() }
  const dateTime = given.toString().slice(0, 19)
  const name = component.getFirstProperty("due")?.getFirstParameter("tzid")
  if (name === undefined) {
    if (!isFloating(given)) return { dateTime, timeZone: "UTC" }
    const timeZone = machineTimeZone()
    note(`DUE without a time zone is imported in ${timeZone}, the time zone of this machine`)
    return { dateTime, timeZone }
  }
  // Some programs put a prefix before the name of the IANA time zone: /example.org/Europe/Berlin.
  const parts = name.split("/")
  const timeZone = parts.map((_, at) => parts.slice(at).join("/")).find((name) => isTimeZone(name))
  if (timeZone !== undefined) return { dateTime, timeZone }
  if (isFloating(given)) throw new Error("the time zone of DUE must be in the IANA database or in the file")
  note("the time zone of DUE is not in the IANA database: the same time is imported in UTC")
  return { dateTime: instant(given).slice(0, 19), timeZone: "UTC" }
}
