import * as DateTime from "effect/DateTime"
import * as Option from "effect/Option"

/**
 * The instant of a wall-clock time in a time zone, with the time zone database of JavaScript. As with Temporal's
 * `compatible`, a time in a gap (clocks set forward) moves forward by the gap, and a time in an overlap (clocks set back) is
 * the earlier one.
 *
 * @param wallClock the time as if it were UTC, in milliseconds since 1970.
 */
export const zonedTime = (wallClock: number, timeZone: string): DateTime.Zoned =>
  Option.getOrThrow(
    DateTime.makeZoned(wallClock, {
      timeZone: timeZoneNamed(timeZone),
      adjustForTimeZone: true,
      disambiguation: "compatible"
    })
  )

/** Effect caches zones by name. With lower case, all spellings of a name share one entry. */
export const timeZoneNamed = (name: string): DateTime.TimeZone.Named => DateTime.zoneMakeNamedUnsafe(name.toLowerCase())
