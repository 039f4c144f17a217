import * as Schema from "effect/Schema"

/** Whether the date exists (proleptic Gregorian calendar, years 1 to 9999). */
const isCalendarDate = (text: string): boolean => {
  const time = Date.parse(`${text.slice(0, 10)}T00:00:00.000Z`)
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text.slice(0, 10)) && !text.startsWith("0000")
}

/** An instant in RFC 3339 form, in UTC with milliseconds: `2026-11-23T06:00:00.000Z`. */
export const Timestamp = Schema.String.check(
  Schema.isPattern(/^\d{4}-\d{2}-\d{2}T([01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z$/u, {
    expected: "a time in UTC with milliseconds, YYYY-MM-DDTHH:MM:SS.sssZ"
  })
).annotate({
  identifier: "Timestamp",
  description: "An instant in the form of RFC 3339, in UTC with milliseconds",
  format: "date-time",
  examples: ["2026-11-23T06:00:00.000Z"]
})
export type Timestamp = typeof Timestamp.Type

/** A day of the calendar, `YYYY-MM-DD`. */
export const CalendarDate = Schema.String.check(
  Schema.isPattern(/^\d{4}-\d{2}-\d{2}$/u, { expected: "a date, YYYY-MM-DD", format: "date" }),
  Schema.makeFilter(isCalendarDate, { message: "must be a date that exists, in the years 1 to 9999" })
)

/** A wall-clock time without a zone, `YYYY-MM-DDTHH:MM:SS`. */
export const LocalDateTime = Schema.String.check(
  Schema.isPattern(/^\d{4}-\d{2}-\d{2}T([01]\d|2[0-3]):[0-5]\d:[0-5]\d$/u, {
    expected: "a date and time without an offset, YYYY-MM-DDTHH:MM:SS"
  }),
  Schema.makeFilter(isCalendarDate, { message: "must be a date that exists, in the years 1 to 9999" })
)

/**
 * One end of a range of due dates: an instant (RFC 3339 with an offset), or a day. A day is the whole day in the caller's
 * time zone.
 */
export const DueBound = Schema.String.check(
  Schema.isPattern(
    /^\d{4}-\d{2}-\d{2}(T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,3})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d))?$/u,
    {
      expected: "a date, YYYY-MM-DD, or a time with an offset, YYYY-MM-DDTHH:MM:SSZ"
    }
  ),
  Schema.makeFilter(isCalendarDate, { message: "must be a date that exists, in the years 1 to 9999" })
)

/** An instant from a client: RFC 3339 with an offset, and at most three decimals of a second. */
export const Instant = Schema.String.check(
  Schema.isPattern(/^\d{4}-\d{2}-\d{2}T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,3})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/u, {
    expected: "a time with an offset, YYYY-MM-DDTHH:MM:SSZ",
    format: "date-time"
  }),
  Schema.makeFilter(isCalendarDate, { message: "must be a date that exists, in the years 1 to 9999" })
)

const knownZones = new Map<string, boolean>()

/** Whether the time zone database of Node.js knows the name. Cached, because the check creates a formatter. */
const isTimeZone = (name: string): boolean => {
  const known = knownZones.get(name.toLowerCase())
  if (known !== undefined) return known
  let found = true
  try {
    Intl.DateTimeFormat("en", { timeZone: name })
  } catch {
    found = false
  }
  // Names come from clients, so the cache needs a limit.
  if (knownZones.size < 1_000) knownZones.set(name, found)
  return found
}

/** The name of a zone in the IANA time zone database, such as `Europe/Paris`. An offset is not a zone. */
export const TimeZone = Schema.String.check(
  Schema.isPattern(/^[A-Za-z][A-Za-z0-9_+/-]{0,63}$/u, {
    expected: "the name of a time zone of the IANA database",
    examples: ["Europe/Paris"]
  }),
  Schema.makeFilter(isTimeZone, { expected: "the name of a time zone of the IANA database" })
)
