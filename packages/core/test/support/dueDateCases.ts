/**
 * Checks due dates at the edges of days, and prints what is wrong. It is a script, because a process has one time zone. The
 * instants were calculated by hand from the rules of the zones.
 */
import { CurrentUser, Database, type Due, Services, Todos, type TodoQuery } from "@todo/core"
import { newUser } from "@todo/core/testing"
import { Effect, Layer, Redacted } from "effect"
import { SqlClient } from "effect/sql"
import { TestClock } from "effect/testing"

/** Wall-clock times with their instants, by Temporal's disambiguation `compatible`. */
const instants: ReadonlyArray<readonly [timeZone: string, dateTime: string, instant: string]> = [
  ["UTC", "2026-03-08T02:30:00", "2026-03-08T02:30:00Z"],
  ["Pacific/Kiritimati", "2026-03-08T02:30:00", "2026-03-07T12:30:00Z"],
  // Kiritimati skipped the 31st of December 1994.
  ["Pacific/Kiritimati", "1994-12-31T12:00:00", "1994-12-31T22:00:00Z"],
  ["Pacific/Kiritimati", "1994-12-30T23:59:59", "1994-12-31T09:59:59Z"],
  ["Pacific/Kiritimati", "1995-01-01T00:00:00", "1994-12-31T10:00:00Z"],
  ["America/St_Johns", "2026-01-15T12:00:00", "2026-01-15T15:30:00Z"],
  ["America/St_Johns", "2026-07-01T12:00:00", "2026-07-01T14:30:00Z"],
  // Gap.
  ["America/St_Johns", "2026-03-08T01:59:59", "2026-03-08T05:29:59Z"],
  ["America/St_Johns", "2026-03-08T02:00:00", "2026-03-08T05:30:00Z"],
  ["America/St_Johns", "2026-03-08T02:30:00", "2026-03-08T06:00:00Z"],
  ["America/St_Johns", "2026-03-08T03:00:00", "2026-03-08T05:30:00Z"],
  // Overlap.
  ["America/St_Johns", "2026-11-01T00:59:59", "2026-11-01T03:29:59Z"],
  ["America/St_Johns", "2026-11-01T01:00:00", "2026-11-01T03:30:00Z"],
  ["America/St_Johns", "2026-11-01T01:30:00", "2026-11-01T04:00:00Z"],
  ["America/St_Johns", "2026-11-01T02:00:00", "2026-11-01T05:30:00Z"],
  // Zones that change at 01:00 UTC, or by half an hour.
  ["Europe/Paris", "2026-03-29T02:30:00", "2026-03-29T01:30:00Z"],
  ["Europe/Paris", "2026-10-25T02:30:00", "2026-10-25T00:30:00Z"],
  ["Australia/Lord_Howe", "2026-10-04T02:15:00", "2026-10-03T15:45:00Z"],
  ["Australia/Lord_Howe", "2026-04-05T01:45:00", "2026-04-04T14:45:00Z"]
]

/** Days in zones: the first instant of the day and of the next day. */
const days: ReadonlyArray<readonly [timeZone: string, date: string, start: string, end: string]> = [
  ["UTC", "2026-03-08", "2026-03-08T00:00:00Z", "2026-03-09T00:00:00Z"],
  ["UTC", "2026-11-01", "2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z"],
  ["Pacific/Kiritimati", "2026-03-08", "2026-03-07T10:00:00Z", "2026-03-08T10:00:00Z"],
  ["Pacific/Kiritimati", "2026-11-01", "2026-10-31T10:00:00Z", "2026-11-01T10:00:00Z"],
  // Days of 23 and 25 hours.
  ["America/St_Johns", "2026-03-08", "2026-03-08T03:30:00Z", "2026-03-09T02:30:00Z"],
  ["America/St_Johns", "2026-11-01", "2026-11-01T02:30:00Z", "2026-11-02T03:30:00Z"],
  // Days on which midnight occurs twice, or does not occur.
  ["Atlantic/Azores", "2026-10-25", "2026-10-25T00:00:00Z", "2026-10-26T01:00:00Z"],
  ["America/Santiago", "2026-09-06", "2026-09-06T04:00:00Z", "2026-09-07T03:00:00Z"]
]

const later = (instant: string, milliseconds: number) => new Date(Date.parse(instant) + milliseconds).toISOString()
const utc = (instant: string): Due => ({ dateTime: instant.slice(0, 19), timeZone: "UTC" })
const second = 1000
const day = 24 * 3600 * second

const wrong: Array<string> = []
const expectEqual = (what: string, actual: unknown, expected: unknown) => {
  const [is, should] = [JSON.stringify(actual), JSON.stringify(expected)]
  if (is !== should) wrong.push(`${what}: ${is}, not ${should}`)
}

const checkInstants = Effect.gen(function* () {
  const todos = yield* Todos
  for (const [timeZone, dateTime, instant] of instants) {
    const { due, id } = yield* todos.create({ title: "a", due: { dateTime, timeZone } })
    expectEqual(`${dateTime} ${timeZone} comes back`, due, { dateTime, timeZone })
    // Only a range with the instant finds the todo.
    const found = (dueFrom: string, dueTo: string) =>
      Effect.map(todos.list({ dueFrom, dueTo }), ({ items }) => items.some((todo) => todo.id === id))
    expectEqual(`${dateTime} ${timeZone} at`, yield* found(instant, instant), true)
    expectEqual(`${dateTime} ${timeZone} later`, yield* found(later(instant, 1), later(instant, 1000 * day)), false)
    expectEqual(`${dateTime} ${timeZone} earlier`, yield* found(later(instant, -1000 * day), later(instant, -1)), false)
    yield* todos.delete(id)
  }
})

const checkDay = Effect.fnUntraced(function* ([timeZone, date, start, end]: (typeof days)[number]) {
  const todos = yield* Todos
  const [yesterday, tomorrow] = [-day, day].map((by) => later(`${date}T00:00:00Z`, by).slice(0, 10)) as [string, string]
  const rows: ReadonlyArray<readonly [name: string, due: Due, instant: string]> = [
    ["before", utc(later(start, -second)), later(start, -second)],
    ["yesterday", { date: yesterday }, later(start, -1)],
    ["start", utc(start), start],
    ["last", utc(later(end, -second)), later(end, -second)],
    ["date", { date }, later(end, -1)],
    ["end", utc(end), end],
    ["tomorrow", { date: tomorrow }, later(end, day / 2)]
  ]
  for (const [title, due] of rows.toReversed()) yield* todos.create({ title, due })
  const names = rows.map(([name]) => name)
  const done = yield* todos.create({ title: "done", due: { date: yesterday } })
  yield* todos.complete(done.id)
  yield* todos.create({ title: "never" })
  const found = (query: TodoQuery) =>
    Effect.map(todos.list({ timeZone, sort: "due", ...query }), ({ items }) =>
      items.map(({ title }) => title).filter((title) => title !== "done" && title !== "never")
    )
  for (const now of [start, later(start, 1), later(start, day / 3), later(end, -1)]) {
    const what = `${date} ${timeZone} at ${now}`
    yield* TestClock.setTime(Date.parse(now))
    expectEqual(`${what}, today`, yield* found({ due: "today" }), ["start", "last", "date"])
    expectEqual(`${what}, upcoming`, yield* found({ due: "upcoming" }), ["end", "tomorrow"])
    const past = rows.filter(([, , instant]) => Date.parse(instant) < Date.parse(now))
    expectEqual(
      `${what}, overdue`,
      yield* found({ due: "overdue" }),
      past.map(([name]) => name)
    )
  }
  const range = (query: TodoQuery, ...expected: ReadonlyArray<string>) =>
    Effect.map(found(query), (actual) => expectEqual(`${date} ${timeZone} ${JSON.stringify(query)}`, actual, expected))
  yield* range({}, ...names)
  yield* range({ dueFrom: start }, ...names.slice(2))
  yield* range({ dueFrom: later(start, -1) }, ...names.slice(1))
  yield* range({ dueFrom: later(end, -1) }, "date", "end", "tomorrow")
  yield* range({ dueFrom: end }, "end", "tomorrow")
  yield* range({ dueTo: later(end, -1) }, ...names.slice(0, 5))
  yield* range({ dueTo: later(end, -2) }, ...names.slice(0, 4))
  yield* range({ dueTo: end }, ...names.slice(0, 6))
  yield* range({ dueFrom: start, dueTo: later(end, -1) }, "start", "last", "date")
  yield* range({ dueFrom: date }, ...names.slice(2))
  yield* range({ dueTo: date }, ...names.slice(0, 5))
  yield* range({ dueFrom: date, dueTo: date }, "start", "last", "date")
  const backwards = yield* todos.list({ timeZone, sort: "-due" })
  expectEqual(
    `${date} ${timeZone} backwards`,
    backwards.items.map(({ title }) => title).filter((title) => title !== "done"),
    [...names.toReversed(), "never"]
  )
  // In pages of one todo, so each cursor holds an instant.
  const walked: Array<string> = []
  for (let cursor: string | null | undefined; cursor !== null;) {
    const page = yield* todos.list({ timeZone, sort: "due", limit: 1, completed: false, ...(cursor && { cursor }) })
    walked.push(...page.items.map(({ title }) => title))
    cursor = page.nextCursor
  }
  expectEqual(`${date} ${timeZone} in pages`, walked, [...names, "never"])
})

if (import.meta.main) {
  const url = Redacted.make(process.env["DATABASE_URL"] ?? "")
  const asNewUser = <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.provideService(self, CurrentUser, newUser())
  const [session] = await Effect.gen(function* () {
    yield* asNewUser(checkInstants)
    for (const day of days) yield* asNewUser(checkDay(day))
    const sql = yield* SqlClient.SqlClient
    return yield* sql<{ zone: string; style: string }>`
      select current_setting('timezone') as zone, current_setting('datestyle') as style`
  }).pipe(
    // The services have the test clock, but the pool has the real one.
    Effect.provide(TestClock.layer()),
    Effect.provide(Services.layer.pipe(Layer.provideMerge(Database.layer({ url, poolSize: 2 })))),
    Effect.runPromise
  )
  console.log(JSON.stringify({ zone: Intl.DateTimeFormat().resolvedOptions().timeZone, session, wrong }))
}
