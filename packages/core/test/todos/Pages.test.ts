import { assert, layer } from "@effect/vitest"
import { CurrentUser, InvalidCursor, Lists, type Todo, type TodoQuery, type TodoSort, Todos } from "@todo/core"
import { newUser } from "@todo/core/testing"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import type { Random } from "../../../../.config/random.ts"
import * as Cursor from "../../src/database/Cursor.ts"
import * as BatchedScope from "../../src/database/BatchedScope.ts"
import { optimisations } from "../../src/database/optimisations.ts"
import { onRecordedPool, Ran } from "../support/clients.ts"
import { asSuperuser, unbounded } from "../support/connections.ts"
import { asNewUser, ids, live, newTodoId, query, rounds, seeded, services, tagOf, walkTodos } from "../support/suite.ts"

const columns = ["position", "createdAt", "updatedAt", "due", "priority", "title"] as const
const sorts = columns.flatMap((column): ReadonlyArray<TodoSort> => [column, `-${column}`])

const priorities = ["none", "low", "medium", "high"]

/** The documented sort value of a todo, with days in UTC. The id breaks ties. */
const sortValue = (todo: Todo, column: (typeof columns)[number]): number | string | null => {
  switch (column) {
    case "position":
      return todo.position
    case "createdAt":
      return todo.createdAt
    case "updatedAt":
      return todo.revision
    case "priority":
      return priorities.indexOf(todo.priority)
    case "title":
      return todo.title.toLowerCase()
    case "due":
      if (todo.due === null) return null
      return "date" in todo.due
        ? Date.parse(`${todo.due.date}T23:59:59.999Z`)
        : Date.parse(`${todo.due.dateTime}Z`) - (todo.due.timeZone === "UTC" ? 0 : 9 * 3_600_000)
  }
}

const compare = (a: number | string, b: number | string) => (a < b ? -1 : a > b ? 1 : 0)

/** Sorts todos in the documented order, by plain comparison. */
const ordered = (todos: ReadonlyArray<Todo>, sort: TodoSort) => {
  const descending = sort.startsWith("-")
  const column = sort.replace("-", "") as (typeof columns)[number]
  return todos.toSorted((one, other) => {
    const [a, b] = [sortValue(one, column), sortValue(other, column)]
    // Todos without a due date come last in both directions.
    if (a === null || b === null) {
      if (a !== b) return a === null ? 1 : -1
      return compare(one.id, other.id) * (descending ? -1 : 1)
    }
    return (compare(a, b) || compare(one.id, other.id)) * (descending ? -1 : 1)
  })
}

const someDue = (random: Random) =>
  random.pick([
    null,
    null,
    { date: `2026-0${1 + random.int(9)}-1${random.int(3)}` },
    { dateTime: `2026-0${1 + random.int(9)}-11T23:59:5${random.int(10)}`, timeZone: "UTC" },
    { dateTime: `2026-0${1 + random.int(9)}-12T08:30:00`, timeZone: "Asia/Tokyo" }
  ])

/** Creates todos in one transaction, with many equal sort values. */
const inOneTransaction = (random: Random, count: number) =>
  Effect.gen(function* () {
    const todos = yield* Todos
    const sql = yield* SqlClient.SqlClient
    const { id } = yield* CurrentUser
    yield* sql.withTransaction(
      Effect.forEach(
        Array.from({ length: count }),
        () =>
          todos.create({
            title: random.pick(["a", "B", "b", "Æ", "é", "中", "😀"]) + random.pick(["", " ", "1", "Z", "z"]),
            priority: random.pick(["none", "low", "medium", "high"]),
            due: someDue(random),
            completed: random.chance(0.4),
            tags: random.some(["x", "y"])
          }),
        { discard: true }
      )
    )
    // All have the same creation time, which is possible with a clock of milliseconds.
    yield* asSuperuser(query("update todo.todos set created_at = '2026-01-01T00:00:00Z' where owner_id = $1", [id]))
    return yield* walkTodos({ limit: 200 })
  })

/** Runs eight writers that create todos, and move, change, delete and restore only the todos in `own`. */
const disturb = Effect.fnUntraced(function* (random: Random, own: ReadonlyArray<Todo>, anchors: ReadonlyArray<Todo>) {
  const todos = yield* Todos
  const made: Array<Todo["id"]> = []
  const step = (): Effect.Effect<unknown, { readonly _tag: string }, CurrentUser> => {
    const { id } = random.pick(own)
    switch (random.int(6)) {
      case 0: {
        // Limits the number of new todos, or the walks would never end.
        const oldest = made.length > 100 ? made.shift() : undefined
        if (oldest !== undefined) return todos.delete(oldest)
        const todo = { title: random.pick(["a", "zz"]), due: someDue(random), priority: "medium" } as const
        return Effect.tap(todos.create(todo), ({ id }) => Effect.sync(() => made.push(id)))
      }
      case 1:
        return todos.move(id, { before: random.pick(anchors).id })
      case 2:
        return todos.move(id, { after: random.pick(anchors).id })
      case 3:
        return todos.update(id, { due: someDue(random), title: random.pick(["a", "m", "zz"]) })
      case 4:
        return todos.delete(id)
      default:
        return todos.restore(id)
    }
  }
  const writer = Effect.suspend(step).pipe(
    Effect.catchIf(
      ({ _tag }) => _tag === "TodoNotFound",
      () => Effect.void
    ),
    Effect.forever
  )
  return yield* Effect.all(
    Array.from({ length: 8 }, () => writer),
    { concurrency: 8, discard: true }
  )
})

const ran = new Ran()

layer(onRecordedPool(ran), live)("plain pages that are read at once", (it) => {
  it.effect.runIf(optimisations.requestBatching)(
    "plain pages of several users share statements, and pages with conditions run alone",
    () =>
      Effect.gen(function* () {
        const todos = yield* Todos
        const statements = Effect.fnUntraced(function* (given: TodoQuery) {
          const before = ran.count('from "todo".todos')
          yield* Effect.all(
            Array.from({ length: 20 }, () => asNewUser(todos.list(given))),
            unbounded
          )
          return ran.count('from "todo".todos') - before
        })
        for (const same of [{}, { limit: 50 }, { sort: "position" }] as const)
          // Four pages share a statement. The end of a turn of the event loop can split one of them.
          assert.oneOf(yield* statements(same), [5, 6])
        // Later pages share statements too, even several pages of one user.
        const titles = Array.from({ length: 120 }, (_, n) => `${n}`)
        const creations = titles.map((title) => ({ op: "create", todo: { title } }) as const)
        const asked = yield* Effect.forEach(
          Array.from({ length: 10 }, () => newUser()),
          (user) =>
            Effect.gen(function* () {
              yield* todos.batch(creations.slice(0, 60))
              yield* todos.batch(creations.slice(60))
              const first = (yield* todos.list({})).nextCursor ?? ""
              const second = (yield* todos.list({ cursor: first })).nextCursor ?? ""
              return [
                { user, cursor: first, expected: titles.slice(50, 100) },
                { user, cursor: second, expected: titles.slice(100) }
              ]
            }).pipe(Effect.provideService(CurrentUser, user))
        )
        const before = ran.count('from "todo".todos')
        const pages = yield* Effect.forEach(
          asked.flat(),
          ({ cursor, user }) => Effect.provideService(todos.list({ cursor }), CurrentUser, user),
          unbounded
        )
        assert.oneOf(ran.count('from "todo".todos') - before, [5, 6])
        assert.deepStrictEqual(
          pages.map(({ items }) => items.map(({ title }) => title)),
          asked.flat().map(({ expected }) => expected)
        )
        for (const other of [{ limit: 49 }, { sort: "title" }, { completed: false }, { deleted: true }] as const)
          assert.strictEqual(yield* statements(other), 20)
      })
  )

  it.effect("a batched read distinguishes null from the text null", () =>
    Effect.gen(function* () {
      const { read } = yield* BatchedScope.make
      const isNull = read("select $2::text is null as it", 1)
      const rows = yield* asNewUser(Effect.forEach(["null", null, ""], (value) => isNull(value), { concurrency: 3 }))
      assert.deepStrictEqual(
        rows.map(([row]) => row?.[0]),
        [false, true, false]
      )
    })
  )
})

layer(services, live)("pages", (it) => {
  it.effect("the pages of 300 todos of one transaction have each todo once, in every documented order", () =>
    seeded((random) =>
      Effect.gen(function* () {
        const all = yield* inOneTransaction(random, 300)
        assert.lengthOf(all, 300)
        for (const sort of sorts) {
          assert.deepStrictEqual(ids(yield* walkTodos({ sort, limit: 7 })), ids(ordered(all, sort)), sort)
        }
        const filters: ReadonlyArray<readonly [TodoQuery, (todo: Todo) => boolean]> = [
          [{ completed: true }, ({ completed }) => completed],
          [{ completed: false, priority: "high" }, (todo) => !todo.completed && todo.priority === "high"],
          [{ tag: ["x", "y"] }, ({ tags }) => tags.length === 2],
          [{ due: "none" }, ({ due }) => due === null],
          [{ q: "b" }, ({ title }) => title.toLowerCase().startsWith("b")],
          [{ priority: "none", listId: "none", tag: ["y"] }, (t) => t.priority === "none" && t.tags.includes("y")]
        ]
        for (const [filter, meets] of filters) {
          const expected = all.filter(meets)
          const { total } = yield* Effect.flatMap(Todos, (todos) => todos.list({ ...filter, count: true, limit: 1 }))
          assert.strictEqual(total, expected.length)
          for (const sort of sorts) {
            const found = yield* walkTodos({ ...filter, sort, limit: 7 })
            assert.deepStrictEqual(ids(found), ids(ordered(expected, sort)), `${JSON.stringify(filter)} ${sort}`)
          }
        }
      })
    ).pipe(asNewUser)
  )

  // Two for each order at least.
  const walks = rounds(24, 100, 100)
  it.effect(
    `pages have each unchanged todo once while 8 writers insert, move and delete others, in ${walks} walks`,
    () =>
      seeded((random) =>
        Effect.gen(function* () {
          const all = yield* inOneTransaction(random, 120)
          const own = all.filter((_, n) => n % 3 === 0)
          const untouched = all.filter((_, n) => n % 3 !== 0)
          const walking = Effect.forEach(
            Array.from({ length: walks }, (_, n) => sorts[n % sorts.length] ?? "position"),
            Effect.fnUntraced(function* (sort) {
              const found = yield* walkTodos({ sort, limit: 7 })
              const met = found.filter(({ id }) => untouched.some((todo) => todo.id === id))
              assert.deepStrictEqual(ids(met), ids(ordered(untouched, sort)), sort)
            })
          )
          yield* Effect.raceFirst(walking, disturb(random, own, untouched))
        })
      ).pipe(asNewUser),
    240_000
  )

  it.effect("a page has at most the requested number of items, and a cursor unless it is the last one", () =>
    Effect.gen(function* () {
      const todos = yield* Todos
      assert.deepStrictEqual(yield* todos.list({ count: true }), { items: [], nextCursor: null, total: 0 })
      yield* todos.batch(Array.from({ length: 60 }, (_, n) => ({ op: "create", todo: { title: `${n}` } })))
      assert.lengthOf((yield* todos.list({})).items, 50)
      for (const [limit, last] of [
        [59, false],
        [60, true],
        [61, true],
        [200, true]
      ] as const) {
        const page = yield* todos.list({ limit, count: true })
        assert.deepStrictEqual(
          [page.items.length, page.nextCursor === null, page.total],
          [Math.min(limit, 60), last, 60]
        )
      }
      for (const limit of [0, -1, 201, 1.5, Number.NaN]) {
        assert.strictEqual(yield* tagOf(todos.list({ limit })), "InvalidInput")
      }
    }).pipe(asNewUser)
  )

  it.effect("concurrent pages of several users have only the todos of their user, and can be continued", () =>
    Effect.gen(function* () {
      const todos = yield* Todos
      const counts = [0, 1, 50, 51, 120]
      const users = yield* Effect.forEach(counts, (count) => {
        const user = newUser()
        const steps = Array.from({ length: count }, (_, n) => ({ op: "create", todo: { title: `${n}` } }) as const)
        const titles = steps.map(({ todo }) => todo.title)
        const made = Effect.forEach([steps.slice(0, 100), steps.slice(100)], (some) =>
          some.length === 0 ? Effect.void : todos.batch(some)
        )
        return Effect.as(Effect.provideService(made, CurrentUser, user), { user, titles })
      })
      // Both orders, so that the result does not depend on the place of a user in a batch.
      for (const some of [users, users.toReversed()]) {
        const walks = some.map(({ user }) => Effect.provideService(walkTodos({}), CurrentUser, user))
        const found = yield* Effect.all(walks, unbounded)
        assert.deepStrictEqual(
          found.map((own) => own.map(({ title }) => title)),
          some.map(({ titles }) => titles)
        )
      }
    })
  )

  it.effect("the pages of lists have each list once", () =>
    Effect.gen(function* () {
      const lists = yield* Lists
      for (let n = 0; n < 30; n++) yield* lists.create({ name: `${n}` })
      const all = (yield* lists.list({ limit: 200 })).items
      yield* lists.update(all[3]?.id ?? ("" as never), { name: "changed" })
      const changed = (yield* lists.list({ limit: 200 })).items
      for (const sort of ["position", "createdAt", "updatedAt", "-position", "-createdAt", "-updatedAt"] as const) {
        const found: Array<string> = []
        for (let cursor: string | null | undefined; cursor !== null;) {
          const page: { readonly items: ReadonlyArray<{ readonly id: string }>; readonly nextCursor: string | null } =
            yield* lists.list({ sort, limit: 7, ...(cursor !== undefined && { cursor }) })
          found.push(...ids(page.items))
          cursor = page.nextCursor
        }
        const by = sort.replace("-", "") === "updatedAt" ? "revision" : "position"
        const expected = ids(changed.toSorted((a, b) => compare(a[by], b[by])))
        assert.deepStrictEqual(found, sort.startsWith("-") ? expected.toReversed() : expected, sort)
      }
    }).pipe(asNewUser)
  )

  it.effect("a cursor of another user, of another query, or with a changed character is refused", () =>
    Effect.gen(function* () {
      const todos = yield* Todos
      const lists = yield* Lists
      for (let n = 0; n < 3; n++) yield* todos.create({ title: "a", tags: ["x"] })
      for (let n = 0; n < 3; n++) yield* lists.create({ name: "a" })
      const given = { completed: false, tag: ["x"], sort: "createdAt", limit: 1 } as const
      const cursor = (yield* todos.list(given)).nextCursor ?? ""
      // The order of the properties, the size of a page and the count do not matter.
      yield* todos.list({ limit: 2, cursor, sort: "createdAt", tag: ["x"], completed: false })
      const tampered = [...cursor].map(
        (char, n) => cursor.slice(0, n) + (char === "A" ? "B" : "A") + cursor.slice(n + 1)
      )
      const bad = ["", " ", "a", `${cursor}=`, `${cursor} `, `${cursor}A`, cursor.slice(1), cursor.slice(0, -1), "😀"]
      const attempts = [
        ...[...bad, ...tampered].map((cursor) => todos.list({ ...given, cursor })),
        todos.list({ ...given, cursor }).pipe(asNewUser),
        todos.list({ ...given, sort: "-createdAt", cursor }),
        todos.list({ ...given, completed: true, cursor }),
        todos.list({ ...given, tag: ["x", "y"], cursor }),
        todos.list({ ...given, deleted: true, cursor }),
        todos.list({ limit: 1, cursor })
      ]
      for (const attempt of attempts) assert.strictEqual(yield* tagOf(attempt), "InvalidCursor")
    }).pipe(asNewUser)
  )

  it.effect("a forged cursor with a valid digest is refused, and is never a defect", () =>
    Effect.gen(function* () {
      const [todos, lists] = [yield* Todos, yield* Lists]
      const { id } = yield* CurrentUser
      const todo = yield* todos.create({ title: "a" })
      const made = (kind: "todos" | "lists", values: unknown) =>
        Cursor.make(id, [kind, {}], values as ReadonlyArray<unknown>)
      assert.deepStrictEqual((yield* todos.list({ cursor: made("todos", ["", todo.id]) })).items, [todo])
      const payloads = [null, {}, 1, true, "ab", [], ["a"], [1, todo.id], ["a", 1], ["a", todo.id, "c"]]
      for (const values of [...payloads, ["\0", todo.id], ["a", `${todo.id}\0`]]) {
        const what = JSON.stringify(values)
        assert.strictEqual(yield* tagOf(todos.list({ cursor: made("todos", values) })), "InvalidCursor", what)
        assert.strictEqual(yield* tagOf(lists.list({ cursor: made("lists", values) })), "InvalidCursor", what)
      }
    }).pipe(asNewUser)
  )

  it.effect("a cursor of lists is refused for todos, even if the queries are equal", () =>
    Effect.gen(function* () {
      const todos = yield* Todos
      const lists = yield* Lists
      for (let n = 0; n < 3; n++) yield* Effect.all([todos.create({ title: "a" }), lists.create({ name: "a" })])
      const cursor = (yield* lists.list({ limit: 1 })).nextCursor ?? ""
      assert.strictEqual(yield* tagOf(todos.list({ limit: 1, cursor })), "InvalidCursor")
    }).pipe(asNewUser)
  )

  it.effect("the total is on the first page, and later pages do not count again", () =>
    Effect.gen(function* () {
      const todos = yield* Todos
      for (let n = 0; n < 3; n++) yield* todos.create({ title: "a" })
      const first = yield* todos.list({ limit: 2, count: true })
      const second = yield* todos.list({ limit: 2, cursor: first.nextCursor ?? "" })
      assert.deepStrictEqual([first.total, second.total, second.items.length], [3, undefined, 1])
    }).pipe(asNewUser)
  )

  it.effect("a forged cursor with values of wrong types is refused in every order", () =>
    Effect.gen(function* () {
      const todos = yield* Todos
      const user = yield* CurrentUser
      yield* todos.create({ title: "a" })
      for (const sort of sorts) {
        const id = newTodoId()
        const made = [
          [],
          ["x"],
          ["x", "y"],
          [null, null],
          [null, id],
          ["\0", id],
          [1, 2],
          [{}, []],
          ["2026-01-01", "y"]
        ]
        for (const values of made) {
          const cursor = Cursor.make(user.id, { sort }, values)
          const exit = yield* Effect.exit(todos.list({ sort, cursor }))
          if (exit._tag === "Failure") {
            const failure = exit.cause.reasons[0]
            assert.instanceOf(
              failure?._tag === "Fail" ? failure.error : failure,
              InvalidCursor,
              `${sort} ${values.join()}`
            )
          }
        }
      }
    }).pipe(Effect.provideService(CurrentUser, newUser()))
  )

  it.effect("no cursor begins with a dash, because a command line would parse it as a flag", () =>
    Effect.gen(function* () {
      const user = newUser().id
      for (let n = 0; n < 1_000; n++) {
        const cursor = Cursor.make(user, ["todos", {}], [`a${n}`, null])
        assert.match(cursor, /^[^-]/)
        assert.deepStrictEqual(yield* Cursor.open(user, ["todos", {}], cursor), [`a${n}`, null])
      }
    })
  )
})
