import { assert, describe, layer } from "@effect/vitest"
import { Todos } from "@todo/core"
import { TestDatabase } from "@todo/core/testing"
import { Effect, Redacted } from "effect"
import { execFile } from "node:child_process"
import { join } from "node:path"
import { promisify } from "node:util"
import { asSuperuser } from "../support/connections.ts"
import { asNewUser, ids, live, query, services, tagOf, walkTodos } from "../support/suite.ts"

const run = promisify(execFile)

/** Runs the cases in a process with this time zone, and returns what is wrong. */
const casesIn = (zone: string) =>
  Effect.flatMap(TestDatabase, ({ url }) =>
    Effect.promise(async () => {
      const env = { ...process.env, TZ: zone, DATABASE_URL: Redacted.value(url) }
      const script = join(import.meta.dirname, "../support/dueDateCases.ts")
      const { stdout } = await run(process.execPath, [script], { env, timeout: 25_000 })
      return JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as {
        readonly zone: string
        readonly session: { readonly zone: string; readonly style: string }
        readonly wrong: ReadonlyArray<string>
      }
    })
  )

describe("due dates", () => {
  for (const processZone of ["UTC", "Pacific/Kiritimati", "America/St_Johns"]) {
    layer(
      TestDatabase.layer,
      live
    )((it) => {
      it.effect(`due dates have the right instants and days in a process in ${processZone}`, () =>
        Effect.gen(function* () {
          const { wrong, zone } = yield* casesIn(processZone)
          assert.strictEqual(zone, processZone)
          assert.strictEqual(wrong.join("\n"), "")
        })
      )

      it.effect(
        `due dates do not depend on the time zone and date style of the database, in a process in ${processZone}`,
        () =>
          Effect.gen(function* () {
            const sessionZone = processZone === "UTC" ? "America/St_Johns" : "Pacific/Kiritimati"
            yield* asSuperuser(
              query(`do $$ begin
  execute format('alter database %I set timezone = %L', current_database(), '${sessionZone}');
  execute format('alter database %I set datestyle = %L', current_database(), 'SQL, DMY');
end $$`)
            )
            const { session, wrong } = yield* casesIn(processZone)
            assert.deepStrictEqual(session, { zone: sessionZone, style: "SQL, DMY" })
            assert.strictEqual(wrong.join("\n"), "")
          })
      )
    })
  }
})

layer(services, live)("due dates", (it) => {
  const dates = [
    "2026-02-30",
    "2026-02-29",
    "2100-02-29",
    "2026-04-31",
    "2026-13-01",
    "2026-00-10",
    "2026-01-00",
    "0000-01-01",
    "10000-01-01",
    "+10000-01-01",
    "-0001-01-01",
    "2026-1-1",
    "26-01-01",
    "20260101",
    "2026-W01-1",
    "2026-001",
    "2026-01-01T00:00:00",
    "2026-01-01 ",
    " 2026-01-01",
    "2026-01-01\n",
    "2026-01-01 BC",
    "٢٠٢٦-٠١-٠١",
    "infinity",
    "-infinity",
    "now",
    "today",
    "tomorrow",
    "epoch",
    ""
  ]
  for (const date of dates) {
    it.effect(`the date ${JSON.stringify(date)} is refused`, () =>
      Effect.gen(function* () {
        const todos = yield* Todos
        assert.strictEqual(yield* tagOf(todos.create({ title: "a", due: { date } })), "InvalidInput")
      }).pipe(asNewUser)
    )
  }

  const times = [
    "2026-01-01T24:00:00",
    "2026-01-01T23:60:00",
    "2026-12-31T23:59:60",
    "2026-02-30T10:00:00",
    "0000-01-01T00:00:00",
    "10000-01-01T00:00:00",
    "2026-01-01T10:00",
    "2026-01-01T10:00:00.5",
    "2026-01-01T10:00:00.000",
    "2026-01-01T10:00:00Z",
    "2026-01-01T10:00:00+01:00",
    "2026-01-01 10:00:00",
    "2026-01-01t10:00:00",
    "2026-01-01",
    "infinity",
    "now"
  ]
  for (const dateTime of times) {
    it.effect(`the time ${dateTime} is refused`, () =>
      Effect.gen(function* () {
        const todos = yield* Todos
        for (const timeZone of ["UTC", "Pacific/Kiritimati"]) {
          const refused = todos.create({ title: "a", due: { dateTime, timeZone } })
          assert.strictEqual(yield* tagOf(refused), "InvalidInput")
        }
      }).pipe(asNewUser)
    )
  }

  const instants = [
    "2026-01-01T00:00:00",
    "2026-02-30",
    "2026-02-30T00:00:00Z",
    "2026-01-01T24:00:00Z",
    "2026-12-31T23:59:60Z",
    "0000-12-31T00:00:00Z",
    "10000-01-01T00:00:00Z",
    "2026-01-01T00:00:00.1234Z",
    "2026-01-01T00:00:00z",
    "2026-01-01T00:00:00+24:00",
    "2026-01-01T00:00:00+01:60",
    "2026-01-01T00:00:00+0100",
    "2026-01-01T00:00:00 Europe/Paris",
    "infinity",
    "now"
  ]
  for (const instant of instants) {
    it.effect(`a range with the end ${instant} is refused`, () =>
      Effect.gen(function* () {
        const todos = yield* Todos
        assert.strictEqual(yield* tagOf(todos.list({ dueFrom: instant })), "InvalidInput")
        assert.strictEqual(yield* tagOf(todos.list({ dueTo: instant })), "InvalidInput")
      }).pipe(asNewUser)
    )
  }

  for (const timeZone of ["Europe/Atlantis", "+01:00", "UTC+1", "PST8", "Europe/Paris ", "", "../etc", "<+03>-3"]) {
    it.effect(`the time zone ${JSON.stringify(timeZone)} is refused`, () =>
      Effect.gen(function* () {
        const todos = yield* Todos
        const due = { dateTime: "2026-01-01T10:00:00", timeZone }
        assert.strictEqual(yield* tagOf(todos.create({ title: "a", due })), "InvalidInput")
        assert.strictEqual(yield* tagOf(todos.list({ due: "today", timeZone })), "InvalidInput")
      }).pipe(asNewUser)
    )
  }

  it.effect("the first and the last day of the calendar are stored and sorted in every zone", () =>
    Effect.gen(function* () {
      const todos = yield* Todos
      const edges = ["UTC", "Asia/Tokyo", "America/St_Johns"].flatMap((timeZone) => [
        { dateTime: "0001-01-01T00:00:00", timeZone },
        { dateTime: "9999-12-31T23:59:59", timeZone }
      ])
      for (const due of [{ date: "0001-01-01" }, { date: "9999-12-31" }, ...edges]) {
        assert.deepStrictEqual((yield* todos.create({ title: "a", due })).due, due)
      }
      for (const timeZone of ["UTC", "Asia/Tokyo", "America/St_Johns"]) {
        const expected = yield* todos.list({ sort: "due", timeZone })
        assert.deepStrictEqual(yield* walkTodos({ sort: "due", timeZone, limit: 1 }), expected.items)
        const first = expected.items.slice(0, 4).map(({ due }) => JSON.stringify(due).includes("0001"))
        assert.deepStrictEqual(first, [true, true, true, true])
      }
    }).pipe(asNewUser)
  )

  it.effect("ranges accept instants with every offset of RFC 3339", () =>
    Effect.gen(function* () {
      const todos = yield* Todos
      const { id } = yield* todos.create({ title: "a", due: { dateTime: "2026-01-01T00:00:00", timeZone: "UTC" } })
      for (const instant of ["2026-01-01T23:59:00+23:59", "2025-12-31T00:01:00-23:59", "2026-01-01T16:00:00+16:00"]) {
        assert.deepStrictEqual(ids((yield* todos.list({ dueFrom: instant, dueTo: instant })).items), [id])
      }
      for (const edge of ["0001-01-01T00:00:00+23:00", "9999-12-31T23:59:59-23:00"]) {
        yield* todos.list({ dueFrom: edge })
        yield* todos.list({ dueTo: edge })
      }
    }).pipe(asNewUser)
  )

  it.effect("a day ends at the same instant in the database and in Node.js, in every accepted zone", () =>
    Effect.gen(function* () {
      const todos = yield* Todos
      yield* todos.create({ title: "a", due: { date: "2026-07-01" } })
      const old = ["CET", "EET", "MET", "WET", "EST5EDT", "GMT+0", "Etc/GMT-14", "Asia/Calcutta", "NZ", "europe/paris"]
      for (const timeZone of [...Intl.supportedValuesOf("timeZone"), ...old]) {
        // The day ends when the clock of the zone shows the next day.
        const shows = (instant: number) =>
          new Intl.DateTimeFormat("en-CA", { timeZone, dateStyle: "short" }).format(instant)
        const end = [...Array(110).keys()]
          .map((quarter) => Date.parse("2026-07-01T00:00:00Z") + (quarter + 40) * 900_000)
          .find((instant) => shows(instant) > "2026-07-01")
        const at = (milliseconds: number) => new Date((end ?? 0) + milliseconds).toISOString()
        const until = yield* todos.list({ timeZone, dueTo: at(-1), due: "none" })
        assert.lengthOf(until.items, 0)
        assert.lengthOf((yield* todos.list({ timeZone, dueTo: at(-1) })).items, 1, timeZone)
        assert.lengthOf((yield* todos.list({ timeZone, dueTo: at(-2) })).items, 0, timeZone)
        yield* todos.list({ timeZone, due: "today" })
      }
      const due = { dateTime: "2026-01-01T10:00:00", timeZone: "GMT+0" }
      assert.deepStrictEqual((yield* todos.create({ title: "a", due })).due, due)
    }).pipe(asNewUser)
  )

  it.effect("todos on and around a day that the zone skipped are on exactly one page", () =>
    Effect.gen(function* () {
      const todos = yield* Todos
      const dates = ["1994-12-29", "1994-12-30", "1994-12-31", "1995-01-01"]
      const rows = yield* Effect.forEach(Array.from({ length: 60 }), (_, n) =>
        todos.create({ title: `${n}`, due: { date: dates[(n * 7) % 4] ?? "" } })
      )
      for (const sort of ["due", "-due"] as const) {
        const found = yield* walkTodos({ sort, limit: 7, timeZone: "Pacific/Kiritimati" })
        assert.deepStrictEqual(ids(found).toSorted(), ids(rows).toSorted(), sort)
      }
    }).pipe(asNewUser)
  )
})
