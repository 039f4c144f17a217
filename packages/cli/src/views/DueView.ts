/** Formats due dates for people, relative to the present day. */
import type { Due, Todo } from "@todo/core/domain"
import * as DateTime from "effect/DateTime"
import { instantOf, type LocalTime } from "../time/LocalTime.ts"

const day = 86_400_000
/** Created on first use, because this costs `--help` more than all other modules of the command line. */
let relative: Intl.RelativeTimeFormat | undefined
const formatDays = (days: number): string => {
  relative ??= new Intl.RelativeTimeFormat("en", { numeric: "auto" })
  return relative.format(days, "day")
}

/** Dates that are more days away are shown as a date, without a time. */
const farAway = 30

/** "tomorrow", "2 days ago", "today 09:00": the time is in the time zone of the reader. */
export const formatDue = (due: Due, { now, timeZone }: LocalTime): string => {
  const local = localDue(due, timeZone)
  const days = Math.floor(local / day) - Math.floor(toLocal(now, timeZone) / day)
  const [date, time] = new Date(local).toISOString().split("T")
  if (Math.abs(days) > farAway) return `${date}`
  const when = formatDays(days)
  return "date" in due ? when : `${when} ${time?.slice(0, "09:00".length)}`
}

/** Whether a todo is open and past due, by the rule of the core's filter: a date is past when the day is over. */
export const isOverdue = ({ completed, due }: Todo, { now, timeZone }: LocalTime): boolean => {
  if (completed || due === null) return false
  return "date" in due
    ? localDue(due, timeZone) + day <= toLocal(now, timeZone)
    : DateTime.isLessThan(instantOf(due), now)
}

/** The local date and time in a time zone, as the milliseconds of the same date and time in UTC. */
const toLocal = (time: DateTime.DateTime, timeZone: string): number => {
  const zoned = DateTime.setZoneNamedUnsafe(time, timeZone)
  return DateTime.toEpochMillis(zoned) + DateTime.zonedOffset(zoned)
}

const localDue = (due: Due, timeZone: string): number =>
  "date" in due ? Date.parse(`${due.date}T00:00:00Z`) : toLocal(instantOf(due), timeZone)
