import * as DateTime from "effect/DateTime"
import * as Option from "effect/Option"

/**
 * The instant of a wall-clock time, RFC 3339. In a gap (clocks set forward) the time
 * moves on by the gap, in an overlap (set back) it is the earlier one, as Temporal's
 * `compatible` does.
 */
export const instantOf = (local: { readonly dateTime: string; readonly timeZone: string }): string =>
  DateTime.formatIso(
    DateTime.toUtc(
      Option.getOrThrow(
        DateTime.makeZoned(`${local.dateTime}Z`, {
          timeZone: local.timeZone,
          adjustForTimeZone: true,
          disambiguation: "compatible"
        })
      )
    )
  )
