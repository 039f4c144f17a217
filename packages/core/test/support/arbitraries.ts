/** Arbitraries that schemas cannot derive: existing dates and time zones. */
import { type Due, NewTodo, type TodoPatch } from "@todo/core"
import { Arbitrary, Schema } from "effect"

const int = (minimum: number, maximum: number) =>
  Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum, maximum })))

const digits = (n: number, width: number) => String(n).padStart(width, "0")

/** Dates that are generated more often than others: the first and last ones, leap days, and days that a zone skipped. */
const special = ["0001-01-01", "9999-12-31", "2024-02-29", "2000-02-29", "1994-12-31", "2011-12-30"]

export const date = Arbitrary.map(int(0, 3_652_000), (day) => {
  if (day % 7 === 0) return special[(day / 7) % special.length] ?? ""
  return new Date(Date.parse("0001-01-01T00:00:00Z") + day * 86_400_000).toISOString().slice(0, 10)
})

export const time = Arbitrary.map(
  int(0, 86_399),
  (second) =>
    `${digits(Math.floor(second / 3600), 2)}:${digits(Math.floor(second / 60) % 60, 2)}:${digits(second % 60, 2)}`
)

const zones = [
  "UTC",
  "Pacific/Kiritimati",
  "America/St_Johns",
  "Europe/Paris",
  "Asia/Kathmandu",
  "Africa/Casablanca",
  "Australia/Lord_Howe",
  "Etc/GMT+12"
]
export const timeZone = Arbitrary.map(int(0, zones.length - 1), (n) => zones[n] ?? "UTC")

/** Without the first and the last year, because their instants are outside of our calendar in some zones. */
export const localDateTime = Arbitrary.map(
  Arbitrary.all([Arbitrary.filter(date, (date) => !/^(0001|9999)/.test(date)), time]),
  ([date, time]) => `${date}T${time}`
)

export const instant = Arbitrary.map(
  Arbitrary.all([localDateTime, int(0, 3), int(-12, 14)]),
  ([local, fraction, hours]) =>
    `${local}${["", ".5", ".25", ".125"][fraction]}${hours === 0 ? "Z" : `${hours < 0 ? "-" : "+"}${digits(Math.abs(hours), 2)}:30`}`
)

export const due: Arbitrary.Arbitrary<Due | null> = Arbitrary.map(
  Arbitrary.all([int(0, 2), date, localDateTime, timeZone]),
  ([kind, date, dateTime, timeZone]) => [null, { date }, { dateTime, timeZone }][kind] ?? null
)

const { description, due: _due, listId: _listId, title, ...rest } = NewTodo.fields

/** All fields that a client may set, except the list. */
export const newTodo = Arbitrary.map(
  Arbitrary.all([
    Arbitrary.schema(
      Schema.Struct({
        title,
        description: description.schema,
        completed: rest.completed.schema,
        priority: rest.priority.schema,
        tags: rest.tags.schema
      })
    ),
    due
  ]),
  ([fields, due]): Required<Omit<TodoPatch, "listId">> => ({ ...fields, due })
)
