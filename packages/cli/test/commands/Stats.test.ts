import { assert, describe, layer } from "@effect/vitest"
import { Lists, Todos } from "@todo/core"
import type { Stats } from "@todo/core/admin"
import { TestDatabase } from "@todo/core/testing"
import { Effect } from "effect"
import { renderDays, renderStats } from "../../src/views/StatsView.ts"
import { admin, asUser, json, newUser, sql, atMostThree } from "../support/program.ts"

const dayBack = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10)

layer(TestDatabase.layer, { excludeTestServices: true })((it) => {
  describe("todo-admin stats", () => {
    it.effect("`stats` counts the rows of an empty database, and of one with users", () =>
      Effect.gen(function* () {
        const empty = yield* json<Stats.Stats>("stats")
        assert.deepStrictEqual(
          [empty.users.total, empty.todos, empty.biggest],
          [0, { open: 0, completed: 0, trashed: 0 }, []]
        )
        const [big, small] = [newUser(), newUser()]
        const changed = yield* asUser(
          big,
          Effect.gen(function* () {
            const todos = yield* Todos
            const [done, trashed, old] = yield* Effect.forEach(["done", "trashed", "old", "open"], (title) =>
              todos.create({ title })
            )
            yield* todos.complete(done?.id ?? assert.fail())
            yield* todos.delete(trashed?.id ?? assert.fail())
            yield* (yield* Lists).create({ name: "Errands" })
            return old?.id
          })
        )
        const { adminUrl } = yield* TestDatabase
        yield* sql(adminUrl, `update todo.todos set updated_at = now() - interval '3 days' where id = '${changed}'`)
        yield* asUser(
          small,
          Effect.flatMap(Todos, ({ create }) => create({ title: "one" }))
        )
        yield* admin("user", "disable", small)
        const [stats, drawn] = yield* atMostThree(json<Stats.Stats>("stats"), admin("stats"))
        assert.deepStrictEqual<object>(stats.users, { total: 2, disabled: 1, activeIn7Days: 2, activeIn30Days: 2 })
        assert.deepStrictEqual<object>(stats.todos, { open: 3, completed: 1, trashed: 1 })
        assert.deepStrictEqual<object>(stats.lists, { total: 1, trashed: 0 })
        assert.lengthOf(stats.days, 28)
        assert.deepStrictEqual<object>(
          stats.days.filter(({ todos }) => todos > 0),
          [
            { date: dayBack(3), todos: 1 },
            { date: dayBack(0), todos: 4 }
          ]
        )
        assert.deepStrictEqual<object>(stats.biggest, [
          { id: big, todos: 4 },
          { id: small, todos: 1 }
        ])
        const todos = stats.tables.find(({ name }) => name === "todos")
        assert.isTrue((todos?.bytes ?? 0) > 0 && (todos?.indexBytes ?? 0) > 0)
        assert.strictEqual(drawn.stderr, "")
        assert.match(drawn.stdout, new RegExp(`^users +2\\n +1 disabled\\n[^]*BIGGEST USERS.*\\n${big}  4\\n`))
        // oxlint-disable-next-line no-control-regex -- there must be none
        assert.notMatch(drawn.stdout, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/)
      })
    )
  })

  describe("the chart of stats", () => {
    const days = Array.from({ length: 28 }, (_, n) => ({
      date: dayBack(27 - n),
      todos: n === 0 ? 0 : n === 27 ? 1_234_567 : n
    }))
    const plain = { colour: false }

    it("the chart fits 40 columns, shows every day with a todo, and has wider bars in 80 columns", () => {
      const drawing = renderDays(days, { ...plain, width: 40 })
      const lines = drawing.split("\n")
      for (const line of lines) assert.isAtMost(line.length, 40)
      assert.strictEqual(lines[0], `1,234,567 │${" ".repeat(27)}█`)
      assert.strictEqual(lines[4], `          │ ${"▁".repeat(26)}█`)
      assert.strictEqual(lines[6], `${" ".repeat(11)}${dayBack(27)}${dayBack(0).padStart(18)}`)
      const wide = renderDays(days, { ...plain, width: 80 }).split("\n")
      assert.strictEqual(wide[5]?.length, "1,234,567 └".length + 56)
    })

    it("the chart is empty if there are no todos", () => {
      const blank = renderDays(
        days.map(({ date }) => ({ date, todos: 0 })),
        { ...plain, width: 40 }
      )
      assert.match(blank, /^0 │\n {2}│\n/)
    })

    it("the chart has colours only if the terminal has colours", () => {
      const stats: Stats.Stats = {
        users: { total: 0, disabled: 0, activeIn7Days: 0, activeIn30Days: 0 },
        todos: { open: 0, completed: 0, trashed: 0 },
        lists: { total: 0, trashed: 0 },
        days,
        biggest: [],
        tables: [{ name: "todos", bytes: 8_192, indexBytes: 1_500_000 }]
      }
      assert.notInclude(renderStats(stats, { ...plain, width: 40 }), "\u001B")
      assert.include(renderStats(stats, { colour: true, width: 40 }), "\u001B[36m")
      assert.match(renderStats(stats, { ...plain, width: 40 }), /\ntodos {2}8\.2 kB {2}1\.5 MB$/)
    })
  })
})
