/** When todos are due, as people say it. */
import type { Due, Todo } from "@todo/core/domain"
import * as DateTime from "effect/DateTime"
import * as Option from "effect/Option"
import type { Viewer } from "./Viewer.ts"

const day = 86_400_000
/** Made when it is needed: it takes longer than all else that `--help` loads of ours. */
let relative: Intl.RelativeTimeFormat | undefined
const formatDays = (days: number): string => {
  relative ??= new Intl.RelativeTimeFormat("en", { numeric: "auto" })
  return relative.format(days, "day")
}

/** Days that are further away are easier to find in a calendar than to count, and the time can wait. */
const farAway = 30

/** "tomorrow", "2 days ago", "today 09:00": the time is that of the clocks where the viewer is. */
export const formatDue = (due: Due, viewer: Viewer): string => {
  const local = localDue(due, viewer.timeZone)
  const days = Math.floor(local / day) - Math.floor(toLocal(viewer.now, viewer.timeZone) / day)
  const [date, time] = new Date(local).toISOString().split("T")
  if (Math.abs(days) > farAway) return `${date}`
  const when = formatDays(days)
  return "date" in due ? when : `${when} ${time?.slice(0, "09:00".length)}`
}

/** Open and past, as the core's filter has it: a day is past when it is over. */
export const isOverdue = ({ completed, due }: Todo, { now, timeZone }: Viewer): boolean => {
  if (completed || due === null) return false
  return "date" in due
    ? localDue(due, timeZone) + day <= toLocal(now, timeZone)
    : DateTime.isLessThan(instantOf(due), now)
}

/** What calendar and clocks in a zone show, in milliseconds as if the zone were UTC. */
const toLocal = (time: DateTime.DateTime, timeZone: string): number => {
  const zoned = DateTime.setZoneNamedUnsafe(time, timeZone)
  return DateTime.toEpochMillis(zoned) + DateTime.zonedOffset(zoned)
}

const localDue = (due: Due, timeZone: string): number =>
  "date" in due ? Date.parse(`${due.date}T00:00:00Z`) : toLocal(instantOf(due), timeZone)

/** As the core understands it: a time that clocks skip moves on with them, one that they show twice is the first. */
export const instantOf = ({ dateTime, timeZone }: Exclude<Due, { date: string }>) =>
  Option.getOrThrow(
    DateTime.makeZoned(`${dateTime}Z`, { timeZone, adjustForTimeZone: true, disambiguation: "compatible" })
  )
