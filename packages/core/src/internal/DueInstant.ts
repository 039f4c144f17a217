import * as DateTime from "effect/DateTime"
import * as Option from "effect/Option"

const zoned = (dateTime: string, timeZone: string) =>
  Option.getOrThrow(
    DateTime.makeZoned(`${dateTime}Z`, { timeZone, adjustForTimeZone: true, disambiguation: "compatible" })
  )

/**
 * The instant of a wall-clock time, RFC 3339. In a gap (clocks set forward) the time
 * moves on by the gap, in an overlap (set back) it is the earlier one, as Temporal's
 * `compatible` does.
 */
export const instantOf = (local: { readonly dateTime: string; readonly timeZone: string }): string =>
  DateTime.formatIso(zoned(local.dateTime, local.timeZone))

/** The day that it is in a zone: its date, and its first instant and that of the next day. */
export const dayIn = (timeZone: string, now: DateTime.Utc) => {
  const midnight = DateTime.startOf(DateTime.setZoneNamedUnsafe(now, timeZone), "day")
  const date = DateTime.formatIsoDate(midnight)
  const next = DateTime.formatIsoDateUtc(DateTime.add(DateTime.makeUnsafe(`${date}T00:00:00Z`), { days: 1 }))
  return {
    date,
    start: instantOf({ dateTime: `${date}T00:00:00`, timeZone }),
    end: instantOf({ dateTime: `${next}T00:00:00`, timeZone })
  }
}
