/**
 * Converts due dates to instants, with the time zone database of Node.js. PostgreSQL has another one with other names and
 * rules, so no conversion happens there.
 */
import * as DateTime from "effect/DateTime"
import { timeZoneNamed, zonedTime } from "../domain/zonedTime.ts"

const day = 86_400_000

const instantAt = (wallClock: number, timeZone: string): number =>
  DateTime.toEpochMillis(zonedTime(wallClock, timeZone))

/** The date in a zone, as its midnight in UTC. */
const dateAt = (instant: number, timeZone: string): number => {
  const zoned = DateTime.setZone(DateTime.makeUnsafe(instant), timeZoneNamed(timeZone))
  return Math.floor((instant + DateTime.zonedOffset(zoned)) / day) * day
}

/** Whether the milliseconds are in the range of `Date` (ECMA-262, 21.4.1.1). */
export const isTime = (instant: number): boolean => Math.abs(instant) <= 8.64e15

/**
 * Formats an instant for PostgreSQL. The zone can move an instant from the first or last day of our calendar into the years
 * 0 and 10000. PostgreSQL writes year 0 as 1 BC, and 10000 without a sign.
 */
export const toTimestamp = (instant: number): string => {
  const text = isTime(instant) ? new Date(instant).toISOString() : "not a time"
  if (text.startsWith("+")) return text.replace(/^\+0*/, "")
  return text.startsWith("0000") ? `0001${text.slice(4)} BC` : text
}

const toDate = (midnight: number): string => toTimestamp(midnight).replace(/T.*Z/, "")

/** The instant of a due date-time. */
export const instantOf = (local: { readonly dateTime: string; readonly timeZone: string }): string =>
  toTimestamp(instantAt(Date.parse(`${local.dateTime}Z`), local.timeZone))

/** The instant of a due date: the last millisecond of the day in the caller's zone. */
export const endOfDate = (date: string, timeZone: string): number =>
  instantAt(Date.parse(`${date}T00:00:00Z`) + day, timeZone) - 1

/** The instant at which a day begins in the caller's zone. */
export const startOfDate = (date: string, timeZone: string): number =>
  instantAt(Date.parse(`${date}T00:00:00Z`), timeZone)

/** The date in a zone at an instant. */
export const dateOf = (instant: number, timeZone: string): string => toDate(dateAt(instant, timeZone))

/** The day in a zone at an instant: its date, its start, and its end (the start of the next day). */
export const dayOf = (instant: number, timeZone: string) => {
  const date = dateAt(instant, timeZone)
  return {
    date: toDate(date),
    start: toTimestamp(instantAt(date, timeZone)),
    end: toTimestamp(instantAt(date + day, timeZone))
  }
}
