import { type Due, TimeZone, zonedTime } from "@todo/core/domain"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/** The present time and the time zone of the person who reads. "Tomorrow" depends on both. */
export interface LocalTime {
  readonly now: DateTime.Utc
  readonly timeZone: string
}

/** The present time, in this time zone or else in the one of the machine. */
export const localTimeIn = (timeZone: string | undefined): Effect.Effect<LocalTime> =>
  Effect.map(DateTime.now, (now) => ({ now, timeZone: timeZone ?? machineTimeZone() }))

const isTimeZone = Schema.is(TimeZone)

/** The time zone of the machine. UTC if TZ is not the name of a time zone. */
export const machineTimeZone = (): string => {
  const name: unknown = new Intl.DateTimeFormat().resolvedOptions().timeZone
  return isTimeZone(name) ? name : "UTC"
}

/** The instant of a due time. */
export const instantOf = ({ dateTime, timeZone }: Exclude<Due, { date: string }>): DateTime.Zoned =>
  zonedTime(Date.parse(`${dateTime}Z`), timeZone)
