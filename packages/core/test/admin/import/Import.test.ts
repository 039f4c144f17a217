import { assert, layer } from "@effect/vitest"
import { Accounts, Changes, CurrentUser, Lists, TodoId, Todos, type UserId } from "@todo/core"
import { type ImportInvalid, Users } from "@todo/core/admin"
import { newUser } from "@todo/core/testing"
import { Arbitrary, Effect } from "effect"
import type { Random } from "../../../../../.config/random.ts"
import * as arbitraries from "../../support/arbitraries.ts"
import { asOwner, asSuperuser, runAs } from "../../support/connections.ts"
import { exported, fileOf, imported, linesOf } from "../../support/exports.ts"
import { purgeAsSuperuser, walkChanges } from "../../support/feed.ts"
import { asNewUser, ids, live, query, seeded, services, tagOf, walkTodos } from "../../support/suite.ts"

/** Everything that a client of the user can read. */
const visible = Effect.gen(function* () {
  const lists = yield* Lists
  const sorts = ["position", "-updatedAt", "createdAt", "due", "priority", "title"] as const
  return {
    todos: yield* Effect.forEach(sorts, (sort) => walkTodos({ sort, limit: 200 })),
    trash: yield* walkTodos({ deleted: true, limit: 200 }),
    found: yield* walkTodos({ q: "m", limit: 200 }),
    lists: (yield* lists.list({ limit: 200 })).items,
    listsInTrash: (yield* lists.list({ limit: 200, deleted: true })).items,
    changes: (yield* walkChanges()).changes,
    account: { ...(yield* Effect.flatMap(Accounts, ({ me }) => me)), id: null }
  }
})

/** Creates, moves, changes, deletes, restores and purges random todos and lists. */
const useAtRandom = Effect.fnUntraced(function* (random: Random, steps: number) {
  const todos = yield* Todos
  const lists = yield* Lists
  const all = yield* Arbitrary.sampleEffect(arbitraries.newTodo, { count: steps, seed: random.int(2 ** 30) })
  const listIds = ids(yield* Effect.forEach(["m", "b", "c"], (name) => lists.create({ name })))
  const made: Array<TodoId> = []
  for (const todo of all) {
    const listId = random.chance(0.5) ? null : random.pick(listIds)
    const { id } = yield* todos.create({ ...todo, listId: listId as never })
    made.push(id)
    const other = random.pick(made)
    const step = random.int(8)
    if (step === 0) yield* Effect.ignore(todos.delete(other))
    else if (step === 1) yield* Effect.ignore(todos.restore(other))
    else if (step === 2) yield* Effect.ignore(todos.move(id, { before: other }))
    else if (step === 3) yield* Effect.ignore(todos.update(other, { title: `m ${todo.title.slice(0, 100)}` }))
  }
  yield* todos.put(TodoId.make("00000000-0000-0000-0000-000000000000"), { title: "nil" })
  yield* lists.delete(listIds[0] as never, { todos: random.chance(0.5) ? "trash" : "keep" })
  if (random.chance(0.5)) yield* purgeAsSuperuser
})

layer(services, live)("an import", (it) => {
  it.effect("an import for a new user restores the export: the new export is equal, and clients read the same", () =>
    seeded((random) =>
      Effect.forEach(Array.from({ length: 4 }), () =>
        Effect.gen(function* () {
          const { id } = yield* CurrentUser
          yield* useAtRandom(random, 60)
          const file = yield* exported(id)
          const other = newUser().id
          const report = yield* imported(file, { user: other })
          assert.strictEqual(report.todos.added, linesOf(file).filter((line) => "todo" in line).length)
          assert.strictEqual(yield* exported(other), file.replace(id, other))
          assert.deepStrictEqual(yield* runAs({ id: other })(visible), yield* visible)
          const words = (owner: UserId) =>
            asSuperuser(query("select word, todo_id from todo.todo_words where owner_id = $1 order by 1, 2", [owner]))
          assert.deepStrictEqual(yield* words(other), yield* words(id))
          const derived = (owner: UserId) =>
            asSuperuser(
              query(
                "select title_key, title_words, description_words, due_at::text from todo.todos where owner_id = $1 order by id",
                [owner]
              )
            )
          assert.deepStrictEqual(yield* derived(other), yield* derived(id))

          const again = yield* imported(file, { user: other })
          assert.deepInclude(again, { revision: report.revision, todos: { ...none, same: report.todos.added } })
          assert.strictEqual(yield* exported(other), file.replace(id, other))
        }).pipe(asNewUser)
      )
    )
  )

  it.effect("the user can create and move todos after an import, and receives the changes", () =>
    Effect.gen(function* () {
      const { id } = yield* CurrentUser
      const todos = yield* Todos
      yield* todos.create({ title: "a" })
      yield* todos.create({ title: "b" })
      const other = newUser().id
      const before = yield* runAs({ id: other })(Effect.flatMap(Changes, ({ page }) => page({})))
      yield* imported(yield* exported(id), { user: other })
      yield* runAs({ id: other })(
        Effect.gen(function* () {
          const heard = yield* walkChanges(before.nextCursor)
          assert.lengthOf(heard.changes, 2)
          const made = yield* todos.create({ title: "c" })
          assert.strictEqual(made.revision, 3)
          const [first] = (yield* todos.list({})).items
          yield* todos.move(made.id, { before: first?.id ?? made.id })
          const titles = (yield* todos.list({})).items.map(({ title }) => title)
          assert.deepStrictEqual(titles, ["c", "a", "b"])
          assert.lengthOf((yield* walkChanges(heard.cursor)).changes, 1)
        })
      )
    }).pipe(asNewUser)
  )

  it.effect("an import does not disable a user if the exported user was disabled", () =>
    Effect.gen(function* () {
      const { id } = yield* CurrentUser
      const todos = yield* Todos
      yield* todos.create({ title: "a" })
      yield* asSuperuser(query("update todo.users set disabled_at = now() where id = $1", [id]))
      const other = newUser().id
      yield* imported(yield* exported(id), { user: other })
      assert.strictEqual((yield* runAs({ id: other })(todos.create({ title: "b" }))).title, "b")
    }).pipe(asNewUser)
  )

  it.effect("later writes have the current time, even if the file has a time in the future", () =>
    Effect.gen(function* () {
      const { id } = yield* CurrentUser
      const todos = yield* Todos
      const { updatedAt } = yield* todos.create({ title: "a" })
      const other = newUser().id
      const ahead = put(0, "user", { writtenAt: "9999-12-31T00:00:00.000Z" })(linesOf(yield* exported(id)))
      yield* imported(fileOf(ahead), { user: other })
      const later = yield* runAs({ id: other })(todos.create({ title: "b" }))
      assert.strictEqual(later.updatedAt.slice(0, 4), updatedAt.slice(0, 4))
    }).pipe(asNewUser)
  )

  for (const [what, change] of [
    ["a byte order mark", (text: string) => `\uFEFF${text}`],
    ["line ends of Windows", (text: string) => text.replaceAll("\n", "\r\n")],
    ["line ends of the old Mac", (text: string) => text.replaceAll("\n", "\r")],
    ["no line end after the last line", (text: string) => text.trimEnd()]
  ] as const) {
    it.effect(`an import reads a file with ${what}`, () =>
      Effect.gen(function* () {
        const { id } = yield* CurrentUser
        yield* (yield* Todos).create({ title: "a\r\nb" })
        const other = newUser().id
        const text = yield* exported(id)
        yield* imported(change(text), { user: other })
        assert.strictEqual(yield* exported(other), text.replace(id, other))
      }).pipe(asNewUser)
    )
  }

  /** Changes of a valid file (header, a list, three todos, end), and the problems that the import then reports by line. */
  const mistakes: ReadonlyArray<
    readonly [
      fault: string,
      change: (lines: Lines) => Lines,
      ...expected: ReadonlyArray<readonly [line: number, message: RegExp]>
    ]
  > = [
    ["no lines", () => [], [1, /empty/]],
    ["no header", (lines) => lines.slice(1), [1, /the first line is not that of an export/]],
    ["another version", ([header, ...rest]) => [{ ...(header as object), version: 2 }, ...rest], [1, /version/]],
    [
      "an unknown field in the header",
      ([header, ...rest]) => [{ ...(header as object), token: 1 }, ...rest],
      [1, /token|unexpected/i]
    ],
    ["a horizon beyond the revision", put(0, "user", { horizon: 99 }), [1, /horizon/]],
    ["a revision of 2^53 - 1", put(0, "user", { revision: 2 ** 53 - 1 }), [1, /revision/]],
    ["a position of 8,000 characters", put(2, "todo", { position: `a1${"1".repeat(8_000)}` }), [3, /position/]],
    ["no last line", (lines) => lines.slice(0, -1), [5, /cut off/]],
    ["half of the last line", (lines) => [...lines.slice(0, -1), '{"end":{"li'], [6, /must be JSON/], [6, /cut off/]],
    ["a wrong count", put(5, "end", { todos: 2 }), [6, /3 todos/]],
    ["a missing line", (lines) => lines.toSpliced(3, 1), [5, /2 todos/]],
    ["a line after the last one", (lines) => [...lines, lines[1]], [7, /after the last line/]],
    ["a line that is not JSON", (lines) => lines.toSpliced(2, 0, "nonsense"), [3, /must be JSON/]],
    ["a blank line", (lines) => lines.toSpliced(2, 0, ""), [3, /must be JSON/]],
    ["a line that is not a JSON object", (lines) => lines.toSpliced(2, 0, "null"), [3, /must be a JSON object/]],
    [
      "a line that is neither a list nor a todo",
      (lines) => lines.toSpliced(2, 0, { note: {} }),
      [3, /must have a list, a todo or the end/]
    ],
    ["an unknown field", put(2, "todo", { colour: "red" }), [3, /^unknown field: todo\/colour$/]],
    ["a missing field", put(2, "todo", { tags: undefined }), [3, /^todo\/tags is required$/]],
    [
      "an empty title",
      put(2, "todo", { title: " " }),
      [3, /^todo\/title must have a character that is not white space$/]
    ],
    ["a day that does not exist", put(2, "todo", { due: { date: "2026-02-30" } }), [3, /^todo\/due/]],
    [
      "a zone that does not exist",
      put(2, "todo", { due: { dateTime: "2026-12-01T09:00:00", timeZone: "Mars/Olympus" } }),
      [3, /^todo\/due\/timeZone must be the name of a time zone of the IANA database$/]
    ],
    [
      "an invalid due time and time zone",
      put(2, "todo", { due: { dateTime: "noon", timeZone: "+1" } }),
      [3, /^todo\/due\/dateTime must be a date and time without an offset, [^(]+ \(and 1 more\)$/]
    ],
    [
      "a creation time that does not exist",
      put(2, "todo", { createdAt: "2026-02-30T00:00:00.000Z" }),
      [3, /createdAt/]
    ],
    ["a todo that is done without a time", put(2, "todo", { completed: true }), [3, /completedAt/]],
    ["a revision beyond that of the user", put(2, "todo", { revision: 5 }), [3, /revision must not be beyond/]],
    ["the revision of another todo", put(2, "todo", { revision: 3 }), [4, /revision: another line/]],
    ["the revision of a list", put(2, "todo", { revision: 1 }), [3, /revision: another line/]],
    ["the position of another todo", put(2, "todo", { position: "a3" }), [4, /position: another line/]],
    ["an invalid position", put(2, "todo", { position: "first" }), [3, /position/]],
    ["a position beyond the user's revision", put(2, "todo", { position: "a5" }), [3, /position must not be beyond/]],
    [
      "a todo in a list that the file does not have",
      put(2, "todo", { listId: "019ab2c3-0000-7000-8000-000000000000" }),
      [3, /no list of the file/]
    ],
    [
      "a todo in a list that is in the trash",
      put(1, "list", { deletedAt: "2026-01-01T00:00:00.000Z" }),
      [3, /in the trash/]
    ],
    ["a todo twice", (lines) => lines.toSpliced(3, 0, lines[2]), [4, /previous line/], [7, /4 todos/]],
    ["todos out of order", (lines) => lines.toSpliced(2, 2, lines[3], lines[2]), [4, /out of order/]],
    ["a list after todos", (lines) => lines.toSpliced(1, 2, lines[2], lines[1]), [3, /out of order/]],
    [
      "a line of 600,000 characters",
      (lines) => lines.toSpliced(2, 0, `"${"x".repeat(600_000)}"`),
      [3, /not longer than/]
    ]
  ]
  for (const [fault, change, ...expected] of mistakes) {
    it.effect(`an import refuses a file with ${fault}, and stores nothing`, () =>
      Effect.gen(function* () {
        const { id } = yield* CurrentUser
        const todos = yield* Todos
        const list = yield* Effect.flatMap(Lists, ({ create }) => create({ name: "l" }))
        yield* todos.create({ title: "a", listId: list.id })
        yield* todos.create({ title: "b" })
        yield* todos.create({ title: "c" })
        const other = newUser().id
        const file = fileOf(change(linesOf(yield* exported(id))))
        const { _tag, count, problems } = (yield* Effect.flip(imported(file, { user: other }))) as ImportInvalid
        assert.strictEqual(_tag, "ImportInvalid")
        assert.deepStrictEqual(
          problems.map(({ line }) => line),
          expected.map(([line]) => line)
        )
        for (const [n, [, message]] of expected.entries()) assert.match(problems[n]?.message ?? "", message)
        assert.strictEqual(count, expected.length)
        assert.strictEqual(yield* tagOf(exported(other)), "UserNotFound")
      }).pipe(asNewUser)
    )
  }

  it.effect("an import reports the first 20 invalid lines, their number, and bytes that are not UTF-8", () =>
    Effect.gen(function* () {
      const { id } = yield* CurrentUser
      const todos = yield* Todos
      yield* todos.batch(Array.from({ length: 30 }, () => ({ op: "create" as const, todo: { title: "hunter2" } })))
      const file = yield* exported(id)
      const wrong = file.replaceAll('"tags":[]', '"tags":["hunter2","hunter2"]')
      const error = (yield* Effect.flip(imported(wrong))) as ImportInvalid
      assert.deepStrictEqual([error.problems.length, error.count], [20, 30])
      assert.match(error.message, /30 lines of the file are not valid/)
      assert.notMatch(JSON.stringify(error), /hunter2/)
      const together = (yield* Effect.flip(
        imported(file.replaceAll(/"revision":\d+,"c/g, '"revision":7,"c'))
      )) as ImportInvalid
      assert.deepStrictEqual([together.problems.length, together.count], [20, 29])

      const bytes = Buffer.from(file)
      bytes[file.indexOf("hunter2")] = 0xff
      const { problems } = (yield* Effect.flip(imported(bytes))) as ImportInvalid
      assert.deepInclude(problems[0], { line: 2 })
      assert.match(problems[0]?.message ?? "", /must be UTF-8/)
    }).pipe(asNewUser)
  )
})

// Uses a separate database, because an erasure changes the first revision of new users.
layer(services, live)("an import after an erasure", (it) => {
  it.effect("an import restores an erased user, with a revision above those of all old cursors and entity tags", () =>
    Effect.gen(function* () {
      const { id } = yield* CurrentUser
      const todos = yield* Todos
      const { id: a } = yield* todos.create({ title: "a" })
      const file = yield* exported(id)
      for (const title of ["b", "c", "d"]) yield* todos.update(a, { title })
      const { cursor } = yield* walkChanges()
      yield* asOwner(Users.erase(id))
      assert.deepInclude(yield* imported(file), { revision: 5, todos: { ...none, added: 1 } })
      assert.deepInclude(yield* todos.get(a), { title: "a", revision: 1 })
      assert.deepStrictEqual(linesOf(yield* exported(id)).slice(1), linesOf(file).slice(1))
      assert.deepInclude(yield* imported(file), { revision: 5, todos: { ...none, same: 1 } })
      for (const title of ["e", "f"]) assert.isAbove((yield* todos.update(a, { title })).revision, 5)
      assert.strictEqual(yield* tagOf(walkChanges(cursor)), "CursorExpired")
    }).pipe(asNewUser)
  )

  it.effect("a user who was disabled before the erasure is disabled after the import", () =>
    Effect.gen(function* () {
      const { id } = yield* CurrentUser
      const todos = yield* Todos
      yield* todos.create({ title: "a" })
      yield* asOwner(Users.disable(id))
      const file = yield* exported(id)
      yield* asOwner(Users.erase(id))
      yield* imported(file)
      assert.strictEqual(yield* tagOf(todos.create({ title: "b" })), "UserDisabled")
    }).pipe(asNewUser)
  )

  it.effect("a cursor that a user without rows received before the import expires", () =>
    Effect.gen(function* () {
      const { id } = yield* CurrentUser
      const todos = yield* Todos
      yield* todos.create({ title: "a" })
      const file = yield* exported(id)
      yield* asOwner(Users.erase(id))
      const other = newUser().id
      yield* asOwner(Effect.andThen(Users.disable(other), Users.enable(other)))
      const { cursor } = yield* runAs({ id: other })(walkChanges())
      yield* imported(file, { user: other })
      assert.lengthOf((yield* runAs({ id: other })(todos.list({}))).items, 1)
      assert.strictEqual(yield* tagOf(runAs({ id: other })(walkChanges(cursor))), "CursorExpired")
    }).pipe(asNewUser)
  )
})

const none = { added: 0, replaced: 0, kept: 0, same: 0 }

type Lines = ReadonlyArray<unknown>

/** Changes some fields of a line. */
function put(at: number, kind: string, fields: object) {
  return (lines: Lines): Lines => {
    const line = lines[at] as Record<string, object>
    return lines.toSpliced(at, 1, { ...line, [kind]: { ...line[kind], ...fields } })
  }
}
