/**
 * Due dates as instants. All of it happens here, by this machine's time-zone database:
 * PostgreSQL has one of its own, which knows other names and reads some differently.
 */
import * as DateTime from "effect/DateTime"
import * as Option from "effect/Option"

const day = 86_400_000

/** Zones are remembered by name, and a name has many spellings: one of them. */
const zoneOf = (name: string) => DateTime.zoneMakeNamedUnsafe(name.toLowerCase())

/**
 * The instant of a wall-clock time, which is given as if it were UTC. In a gap (clocks set
 * forward) the time moves on by the gap, in an overlap (set back) it is the earlier one,
 * as Temporal's `compatible` does.
 */
const instantAt = (wallClock: number, timeZone: string): number =>
  DateTime.toEpochMillis(
    Option.getOrThrow(
      DateTime.makeZoned(wallClock, {
        timeZone: zoneOf(timeZone),
        adjustForTimeZone: true,
        disambiguation: "compatible"
      })
    )
  )

/** The date in a zone, as its midnight in UTC. */
const dateAt = (instant: number, timeZone: string): number => {
  const zoned = DateTime.setZone(DateTime.makeUnsafe(instant), zoneOf(timeZone))
  return Math.floor((instant + DateTime.zonedOffset(zoned)) / day) * day
}

/** Whether there is such a time (ECMA-262, 21.4.1.1). */
export const isTime = (instant: number): boolean => Math.abs(instant) <= 8.64e15

/** RFC 3339 as PostgreSQL reads it, also in the years 0 and 10000, where a zone can take the ends of our calendar. */
export const toTimestamp = (instant: number): string => {
  const text = isTime(instant) ? new Date(instant).toISOString() : "not a time"
  if (text.startsWith("+")) return text.replace(/^\+0*/, "")
  return text.startsWith("0000") ? `0001${text.slice(4)} BC` : text
}

const toDate = (midnight: number): string => toTimestamp(midnight).replace(/T.*Z/, "")

/** The instant of a due date-time. */
export const instantOf = (local: { readonly dateTime: string; readonly timeZone: string }): string =>
  toTimestamp(instantAt(Date.parse(`${local.dateTime}Z`), local.timeZone))

/** The instant that a due date counts as: the last millisecond of the day in the caller's zone. */
export const endOfDate = (date: string, timeZone: string): number =>
  instantAt(Date.parse(`${date}T00:00:00Z`) + day, timeZone) - 1

/** The instant that a day begins at in the caller's zone. */
export const startOfDate = (date: string, timeZone: string): number =>
  instantAt(Date.parse(`${date}T00:00:00Z`), timeZone)

/** The date that it is at an instant. */
export const dateOf = (instant: number, timeZone: string): string => toDate(dateAt(instant, timeZone))

/** The day that it is at an instant: its date, and where it begins and the next one does. */
export const dayOf = (instant: number, timeZone: string) => {
  const date = dateAt(instant, timeZone)
  return {
    date: toDate(date),
    start: toTimestamp(instantAt(date, timeZone)),
    end: toTimestamp(instantAt(date + day, timeZone))
  }
}
