import { stripVTControlCharacters } from "node:util"
import { assert, describe, it, layer } from "@effect/vitest"
import { type Due, ListId, type Todo, TodoId, TodoQuery, Todos } from "@todo/core"
import { TestDatabase } from "@todo/core/testing"
import { displayWidth } from "effect/cli/CliOutput"
import { DateTime, Effect } from "effect"
import { isOverdue, formatDue } from "../../src/views/DueView.ts"
import * as TodoFlags from "../../src/flags/TodoFlags.ts"
import { renderTodos } from "../../src/views/TodoView.ts"
import { asUser, newUser } from "../support/program.ts"

const todo = (fields: Partial<Todo>): Todo => ({
  id: TodoId.make("019ab2c3-0000-7000-8000-000000000000"),
  title: "Buy milk",
  description: null,
  completed: false,
  completedAt: null,
  priority: "none",
  due: null,
  tags: [],
  listId: null,
  position: "a0",
  revision: 1,
  createdAt: "2026-11-01T00:00:00.000Z",
  updatedAt: "2026-11-01T00:00:00.000Z",
  deletedAt: null,
  ...fields
})

const due = (text: string): Due => {
  const [local = "", timeZone] = text.split("@")
  return timeZone === undefined ? { date: local } : { dateTime: `${local}:00`, timeZone }
}

const at = (now: string, timeZone: string) => ({ now: DateTime.makeUnsafe(now), timeZone })

describe("A due date", () => {
  const cases: ReadonlyArray<readonly [what: string, now: string, zone: string, due: string, said: string]> = [
    ["today", "2026-12-01T12:00Z", "UTC", "2026-12-01", "today"],
    ["the next day", "2026-12-01T12:00Z", "UTC", "2026-12-02", "tomorrow"],
    ["the day before", "2026-12-01T12:00Z", "UTC", "2026-11-30", "! yesterday"],
    ["days ahead", "2026-12-01T12:00Z", "UTC", "2026-12-04", "in 3 days"],
    ["days ago", "2026-12-01T12:00Z", "UTC", "2026-11-29", "! 2 days ago"],
    ["further than one counts", "2026-12-01T12:00Z", "UTC", "2027-01-01", "2027-01-01"],
    ["a time to come", "2026-12-01T12:00Z", "UTC", "2026-12-01T12:01@UTC", "today 12:01"],
    ["a time that is past", "2026-12-01T12:00Z", "UTC", "2026-12-01T11:59@UTC", "! today 11:59"],

    ["where it is tomorrow already", "2026-12-01T23:00Z", "Pacific/Kiritimati", "2026-12-02", "today"],
    ["where it is still today", "2026-12-02T10:59Z", "Pacific/Pago_Pago", "2026-12-02", "tomorrow"],
    ["a time elsewhere, from UTC", "2026-12-01T23:00Z", "UTC", "2026-12-02T09:00@Asia/Tokyo", "tomorrow 00:00"],
    ["from New York", "2026-12-01T23:00Z", "America/New_York", "2026-12-02T09:00@Asia/Tokyo", "today 19:00"],
    ["from Kathmandu", "2026-12-01T23:00Z", "Asia/Kathmandu", "2026-12-02T09:00@Asia/Tokyo", "today 05:45"],

    ["at the end of a day of 23 hours", "2026-03-29T21:30Z", "Europe/Paris", "2026-03-30", "tomorrow"],
    ["at the end of the day before a day of 23 hours", "2026-03-28T22:30Z", "Europe/Paris", "2026-03-29", "tomorrow"],
    ["at the end of a day of 25 hours", "2026-10-25T22:30Z", "Europe/Paris", "2026-10-25", "today"],
    ["at the beginning of a day of 25 hours", "2026-10-24T22:00Z", "Europe/Paris", "2026-10-26", "tomorrow"],
    ["a day that begins at one o'clock", "2026-09-06T03:30Z", "America/Santiago", "2026-09-06", "tomorrow"],
    ["a time that clocks skip", "2026-03-29T00:00Z", "Europe/Paris", "2026-03-29T02:30@Europe/Paris", "today 03:30"],
    ["the first of two times", "2026-10-25T00:29Z", "Europe/Paris", "2026-10-25T02:30@Europe/Paris", "today 02:30"],
    [
      "the first of two times, after it has passed",
      "2026-10-25T00:31Z",
      "Europe/Paris",
      "2026-10-25T02:30@Europe/Paris",
      "! today 02:30"
    ],

    ["the end of time", "2026-12-01T12:00Z", "Asia/Tokyo", "9999-12-31T23:00@America/New_York", "+010000-01-01"],
    ["the first year of the calendar", "2026-12-01T12:00Z", "UTC", "0001-01-01T00:00@UTC", "! 0001-01-01"]
  ]
  for (const [what, now, zone, text, said] of cases) {
    it(`a due date is shown in the time zone of the viewer: ${what}`, () => {
      const here = at(now, zone)
      const mark = isOverdue(todo({ due: due(text) }), here) ? "! " : ""
      assert.strictEqual(mark + formatDue(due(text), here), said)
    })
  }
})

layer(TestDatabase.layer, { excludeTestServices: true })("The mark of what is overdue", (it) => {
  it.effect("the mark of overdue is on the todos that the core finds overdue", () =>
    Effect.gen(function* () {
      const now = yield* DateTime.now
      const zones = ["UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Europe/Paris"] as const
      const hours = [-36, -13, -2, 2, 13, 36]
      const dues = hours.flatMap((hours): ReadonlyArray<Due> => {
        const time = DateTime.formatIso(DateTime.add(now, { hours })).slice(0, 19)
        return [{ date: time.slice(0, 10) }, ...zones.map((timeZone) => ({ dateTime: time, timeZone }))]
      })
      yield* asUser(
        newUser(),
        Effect.gen(function* () {
          const todos = yield* Todos
          yield* todos.batch(dues.map((due) => ({ op: "create", todo: { title: "x", due } })))
          yield* todos.batch(dues.map((due) => ({ op: "create", todo: { title: "x", due, completed: true } })))
          const { items } = yield* todos.list({ limit: 200 })
          for (const timeZone of zones) {
            const found = yield* todos.list({ due: "overdue", timeZone, limit: 200 })
            assert.isNotEmpty(found.items)
            assert.deepStrictEqual(
              items.filter((todo) => isOverdue(todo, { now, timeZone })),
              found.items
            )
          }
        })
      )
    })
  )
})

describe("The table of todos", () => {
  const errands = ListId.make("019ab2c3-0000-7000-8000-00000000000e")
  const here = { ...at("2026-12-01T12:00Z", "Europe/Paris"), lists: new Map([[errands, "買い物 \u001B[2J"]]) }
  const todos = [
    todo({ completed: true, due: due("2026-11-20"), title: "Done" }),
    todo({ due: due("2026-11-29"), priority: "high", tags: ["home", "shop"], listId: errands }),
    todo({ due: due("2026-12-02T09:00@Europe/Paris"), priority: "medium", title: "日本語の長いタイトル 👩‍👩‍👧" }),
    todo({ title: "\u001B[31mred\u0007 \u202Eback", priority: "low", listId: ListId.make(errands.replace("e", "f")) })
  ]
  const draw = (width: number | undefined, colour = false) => renderTodos(todos, here, { width, colour })

  it("the table marks completed and overdue todos, and shows due days, priorities and lists", () => {
    assert.deepStrictEqual(
      draw(undefined)
        .split("\n")
        .map((line) => line.slice(38)),
      [
        "   TITLE                    DUE             P  TAGS        LIST",
        "✓  Done                     11 days ago",
        "!  Buy milk                 2 days ago      H  home, shop  買い物 \uFFFD[2J",
        "   日本語の長いタイトル 👩‍👩‍👧  tomorrow 09:00  M",
        "   \uFFFD[31mred\uFFFD \uFFFDback                          L              019ab2c3-0000-7000-8000-00000000000f"
      ]
    )
  })

  it("the table fits 80 columns, and shows records if the minimum widths do not fit", () => {
    const wide = draw(80).split("\n")
    assert.strictEqual(wide.length, 1 + todos.length)
    for (const line of wide) assert.isAtMost(displayWidth(line), 80)
    assert.match(wide[2] ?? "", / {2}! {2}Buy milk {6}2 days ago {2}H {2}hom… {2}買…$/)

    const narrow = draw(50).split("\n")
    for (const line of narrow) assert.isAtMost(displayWidth(line), 50)
    assert.deepStrictEqual(narrow.slice(5, 12), [
      "ID        019ab2c3-0000-7000-8000-000000000000",
      "STATE     ! overdue",
      "TITLE     Buy milk",
      "DUE       2 days ago",
      "PRIORITY  high",
      "TAGS      home, shop",
      "LIST      買い物 \uFFFD[2J"
    ])
  })

  it("the table has the same text in colour, and no control characters without colour", () => {
    for (const width of [undefined, 80, 50]) {
      assert.strictEqual(stripVTControlCharacters(draw(width, true)), draw(width))
      assert.notMatch(draw(width), /[^\P{Cc}\n]|\u202E/u)
    }
    assert.include(draw(80, true), "\u001B[31m2 days ago\u001B[39m")
    assert.include(draw(50, true), "\u001B[31mhigh\u001B[39m")
  })
})

describe("The flags of todo list", () => {
  it("the flags of `todo list` cover every field of the core's query", () => {
    const { all: _all, open: _open, ...query } = TodoFlags.query
    assert.deepStrictEqual(Object.keys(query).toSorted(), Object.keys(TodoQuery.fields).toSorted())
  })
})
