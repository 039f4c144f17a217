import { assert, layer } from "@effect/vitest"
import { Changes, CurrentUser, Lists, type Todo, TodoId, Todos, type UserId } from "@todo/core"
import { ForeignImport, type ImportConflict, type ImportInvalid } from "@todo/core/admin"
import { newUser } from "@todo/core/testing"
import { Effect, Stream } from "effect"
import { asOwner, asSuperuser, runAs } from "../../support/connections.ts"
import { exported, fileOf, imported, linesOf } from "../../support/exports.ts"
import { Fold, purgeAsSuperuser, stored, walkChanges } from "../../support/feed.ts"
import { asNewUser, ids, live, services, tagOf, walkTodos } from "../../support/suite.ts"

const create = (title: string) => Effect.flatMap(Todos, ({ create }) => create({ title }))

/** The current user with two todos and a list, an export of them, and a cursor from the time of the export. */
const saved = Effect.gen(function* () {
  const { id } = yield* CurrentUser
  const list = yield* Effect.flatMap(Lists, ({ create }) => create({ name: "list" }))
  const a = yield* create("a")
  const b = yield* create("b")
  const file = yield* exported(id)
  const cursor = (yield* walkChanges()).cursor
  return { id, list, a, b, file, cursor }
})

/** Runs an effect, and asserts that it changes nothing for the user. */
const unchanged = Effect.fnUntraced(function* <A, E, R>(user: UserId, self: Effect.Effect<A, E, R>) {
  const before = yield* exported(user)
  const made = yield* self
  assert.strictEqual(yield* exported(user), before)
  return made
})

layer(services, live)("an import for a user who has data", (it) => {
  it.effect(
    "an import without merge is a conflict if a row differs or is missing, names each line, and changes nothing",
    () =>
      Effect.gen(function* () {
        const { a, b, file, id } = yield* saved
        const todos = yield* Todos
        yield* todos.update(a.id, { title: "A" })
        yield* todos.delete(b.id)
        yield* purgeAsSuperuser
        const error = (yield* Effect.flip(unchanged(id, imported(file)))) as ImportConflict
        assert.strictEqual(error._tag, "ImportConflict")
        assert.deepStrictEqual(error.problems, [
          { line: 3, message: `todo ${a.id} is different in the database` },
          { line: 4, message: `todo ${b.id} is missing in the database` }
        ])
      }).pipe(asNewUser)
  )

  it.effect(
    "an import changes nothing if every row of the file is unchanged in the database, whatever other rows exist",
    () =>
      Effect.gen(function* () {
        const { file, id } = yield* saved
        yield* create("c")
        for (const merge of [false, true]) {
          const report = yield* unchanged(id, imported(file, { merge }))
          assert.deepInclude(report, { revision: 4, todos: { added: 0, replaced: 0, kept: 0, same: 2 } })
        }
      }).pipe(asNewUser)
  )

  it.effect("a merge restores missing rows, and the change feed reports them", () =>
    Effect.gen(function* () {
      const { a, b, cursor, file, id } = yield* saved
      const todos = yield* Todos
      yield* todos.delete(b.id)
      yield* purgeAsSuperuser
      const seen = yield* walkChanges(cursor).pipe(Effect.flip)
      assert.strictEqual(seen._tag, "CursorExpired")
      const { changes, cursor: now } = yield* walkChanges()
      const follower = new Fold().add(changes)
      const report = yield* imported(file, { merge: true })
      assert.deepInclude(report, { revision: 5, todos: { added: 1, replaced: 0, kept: 0, same: 1 }, differing: [] })
      const after = yield* walkChanges(now)
      assert.deepStrictEqual(ids(after.changes), [b.id])
      assert.deepStrictEqual(
        follower.add(after.changes).rows,
        yield* asSuperuser(Effect.provideService(stored, CurrentUser, { id }))
      )
      const back = yield* todos.get(b.id)
      assert.deepInclude(back, { title: "b", createdAt: b.createdAt, revision: 5, position: b.position })
      assert.isTrue(back.updatedAt > b.updatedAt)
      assert.deepStrictEqual(ids(yield* walkTodos({})), [a.id, b.id])
      assert.deepStrictEqual(ids(yield* walkTodos({ q: "b" })), [b.id])
      assert.strictEqual((yield* unchanged(id, imported(file, { merge: true }))).revision, 5)
    }).pipe(asNewUser)
  )

  it.effect("a merge of a row that differs keeps the later version, and reports which one it is", () =>
    Effect.gen(function* () {
      const { a, b, file, id, list } = yield* saved
      const todos = yield* Todos
      const A = yield* todos.update(a.id, { title: "A, later than the file" })
      const later = fileOf(
        linesOf(file).map((line) =>
          "todo" in line && (line.todo as Todo).id === b.id
            ? { todo: { ...(line.todo as Todo), title: "B, later than here", updatedAt: "2999-01-01T00:00:00.000Z" } }
            : line
        )
      )
      const expected = {
        lists: { added: 0, replaced: 0, kept: 0, same: 1 },
        todos: { added: 0, replaced: 1, kept: 1, same: 0 },
        revision: 5,
        takenOut: 0,
        differing: [
          { line: 3, kind: "todo", id: a.id, verdict: "kept" },
          { line: 4, kind: "todo", id: b.id, verdict: "replaced" }
        ]
      }
      const dry = yield* unchanged(id, imported(later, { merge: true, dryRun: true }))
      assert.deepInclude(dry, expected as never)
      assert.deepStrictEqual(yield* imported(later, { merge: true }), dry)
      assert.deepStrictEqual(yield* todos.get(a.id), A)
      const B = yield* todos.get(b.id)
      assert.deepInclude(B, { title: "B, later than here", revision: 5, position: b.position })
      assert.isBelow(Date.parse(B.updatedAt), Date.parse("2900-01-01"))
      assert.deepStrictEqual(ids(yield* walkTodos({ q: "later than here" })), [b.id])
      assert.deepStrictEqual(ids(yield* walkTodos({ q: "b" })), [b.id])
      assert.deepInclude(yield* unchanged(id, imported(later, { merge: true })), { revision: 5, takenOut: 0 })
      assert.strictEqual((yield* Effect.flatMap(Lists, ({ get }) => get(list.id))).revision, list.revision)
    }).pipe(asNewUser)
  )

  it.effect(
    "a merge of another user's file adds its todos at the end in their own order, and later todos follow them",
    () =>
      Effect.gen(function* () {
        const { b, file } = yield* saved
        const todos = yield* Todos
        yield* todos.move(b.id, { before: (yield* todos.list({})).items[0]?.id ?? b.id })
        const other = newUser().id
        yield* runAs({ id: other })(
          Effect.gen(function* () {
            for (const title of ["1", "2", "3", "4", "5", "6", "7"]) yield* create(title)
            const report = yield* imported(file, { merge: true, user: other })
            assert.deepInclude(report, { revision: 10, todos: { added: 2, replaced: 0, kept: 0, same: 0 } })
            yield* create("last")
            const titles = (yield* walkTodos({})).map(({ title }) => title)
            assert.deepStrictEqual(titles, ["1", "2", "3", "4", "5", "6", "7", "a", "b", "last"])
            const rows = yield* asSuperuser(Effect.provideService(stored, CurrentUser, { id: other }))
            assert.deepStrictEqual(
              rows.map((row) => (row as Todo).revision),
              [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]
            )
          })
        )
      }).pipe(asNewUser)
  )

  it.effect("after a merge from a user with a higher revision, no position is used twice", () =>
    Effect.gen(function* () {
      const { id } = yield* CurrentUser
      for (let n = 0; n < 20; n++) yield* create(`${n}`)
      const file = yield* exported(id)
      const other = newUser().id
      yield* runAs({ id: other })(
        Effect.gen(function* () {
          yield* create("here")
          yield* imported(file, { merge: true, user: other })
          for (let n = 0; n < 50; n++) yield* create(`new ${n}`)
          const positions = (yield* walkTodos({})).map(({ position }) => position)
          assert.strictEqual(new Set(positions).size, 71)
        })
      )
    }).pipe(asNewUser)
  )

  it.effect("a merge removes a todo from its list if that list is in the trash by now", () =>
    Effect.gen(function* () {
      const lists = yield* Lists
      const todos = yield* Todos
      const { id } = yield* CurrentUser
      const list = yield* lists.create({ name: "list" })
      const held = yield* todos.create({ title: "held", listId: list.id })
      const file = yield* exported(id)
      yield* todos.delete(held.id)
      yield* purgeAsSuperuser
      yield* lists.delete(list.id)
      const report = yield* imported(file, { merge: true })
      assert.deepInclude(report, { takenOut: 1, revision: 6 })
      assert.deepInclude(yield* todos.get(held.id), { listId: null, revision: 6 })
      assert.strictEqual(yield* tagOf(lists.get(list.id)), "ListNotFound")
      assert.deepInclude(yield* unchanged(id, imported(file, { merge: true })), { takenOut: 0, revision: 6 })
    }).pipe(asNewUser)
  )

  it.effect(
    "a repeated merge does not remove the todo from the list again, even if the file has a time in the future",
    () =>
      Effect.gen(function* () {
        const lists = yield* Lists
        const todos = yield* Todos
        const { id } = yield* CurrentUser
        const list = yield* lists.create({ name: "list" })
        const held = yield* todos.create({ title: "held", listId: list.id })
        const file = yield* exported(id)
        const ahead = fileOf(
          linesOf(file).map((line) =>
            "todo" in line
              ? { todo: { ...(line.todo as Todo), title: "ahead", updatedAt: "2999-01-01T00:00:00.000Z" } }
              : line
          )
        )
        yield* lists.delete(list.id, { todos: "keep" })
        const report = yield* imported(ahead, { merge: true })
        assert.deepInclude(report, { takenOut: 1, todos: { added: 0, replaced: 1, kept: 0, same: 0 } })
        assert.deepInclude(yield* todos.get(held.id), { title: "ahead", listId: null })
        const again = yield* unchanged(id, imported(ahead, { merge: true }))
        assert.deepInclude(again, { takenOut: 0, todos: { added: 0, replaced: 0, kept: 0, same: 1 } })
        const edited = yield* todos.update(held.id, { title: "edited" })
        yield* imported(file, { merge: true })
        assert.deepStrictEqual(yield* todos.get(held.id), edited)
      }).pipe(asNewUser)
  )

  it.effect("a merge beside concurrent writers loses no write, and a reader of the change feed misses nothing", () =>
    Effect.gen(function* () {
      const { id } = yield* CurrentUser
      for (let n = 0; n < 30; n++) yield* create(`${n}`)
      const file = yield* exported(id)
      const user = newUser()
      yield* runAs(user)(
        Effect.gen(function* () {
          const changes = yield* Changes
          const follower = new Fold()
          let done = false
          const follow = Effect.gen(function* () {
            let cursor: string | undefined
            while (true) {
              const last = done
              const page = yield* changes.page({ limit: 500, ...(cursor !== undefined && { since: cursor }) })
              follower.add(page.changes)
              cursor = page.nextCursor
              if (last && !page.hasMore) return
            }
          })
          const write = Effect.forEach(Array.from({ length: 60 }), () => create("here"), { concurrency: 4 })
          const merge = Effect.forEach([1, 2, 3], () => imported(file, { merge: true, user: user.id }), {
            concurrency: 3
          })
          const work = Effect.andThen(
            Effect.all([write, merge], { concurrency: 2 }),
            Effect.sync(() => (done = true))
          )
          yield* Effect.all([work, follow], { concurrency: 2 })
          assert.lengthOf(yield* walkTodos({ limit: 200 }), 90)
          assert.deepStrictEqual(follower.rows, yield* asSuperuser(Effect.provideService(stored, CurrentUser, user)))
        })
      )
    }).pipe(asNewUser)
  )
})

const importedForeign = (user: UserId, todos: ReadonlyArray<unknown>, dryRun = false) =>
  asOwner(
    ForeignImport.run<never, never, never>(
      Stream.fromIterable(todos.map((todo, n) => ({ line: n + 1, source: JSON.stringify(todo), todo }))),
      {
        user,
        dryRun,
        watch: (_step, _total, use) => use(() => Effect.void)
      }
    )
  )

layer(services, live)("todos of other programs", (it) => {
  it.effect("foreign todos are added at the end once, and a repeated import does not undo later changes", () =>
    Effect.gen(function* () {
      const { id } = yield* CurrentUser
      const todos = yield* Todos
      yield* create("first")
      const input = [{ title: "x", completed: true }, { title: "x" }, { title: "x" }, { title: "y", tags: ["t"] }]
      assert.deepInclude((yield* unchanged(id, importedForeign(id, input, true))).todos, { added: 4 })
      const report = yield* importedForeign(id, input)
      assert.deepInclude(report, { revision: 5, todos: { added: 4, replaced: 0, kept: 0, same: 0 } })
      const [, , x, , y] = yield* walkTodos({})
      assert.deepStrictEqual(
        (yield* walkTodos({})).map(({ title }) => title),
        ["first", "x", "x", "x", "y"]
      )
      assert.deepInclude(y, { tags: ["t"], description: null, due: null, priority: "none", completed: false })
      assert.match(y?.id ?? "", /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab]/)
      yield* todos.update(y?.id ?? TodoId.make(""), { title: "edited" })
      yield* todos.delete(x?.id ?? TodoId.make(""))
      const again = yield* unchanged(id, importedForeign(id, input))
      assert.deepInclude(again.todos, { added: 0, same: 4 })
    }).pipe(asNewUser)
  )

  it.effect("no foreign todo is added if one of them is invalid", () =>
    Effect.gen(function* () {
      const { id } = yield* CurrentUser
      const uuid = "019ab2c3-0000-7000-8000-000000000000"
      const input = [
        { title: "x", id: uuid },
        { title: " " },
        { title: "y", id: uuid },
        { title: "z", createdAt: "2026-02-30T00:00:00Z" }
      ]
      const error = (yield* Effect.flip(importedForeign(id, input))) as ImportInvalid
      assert.deepStrictEqual(
        error.problems.map(({ line, message }) => [line, message.split(" ")[0]]),
        [
          [2, "title"],
          [3, "id"],
          [4, "createdAt"]
        ]
      )
      assert.strictEqual(yield* tagOf(exported(id)), "UserNotFound")
    }).pipe(asNewUser)
  )

  it.effect("an empty foreign file does not create a user", () =>
    Effect.gen(function* () {
      const { id } = yield* CurrentUser
      yield* importedForeign(id, [])
      assert.strictEqual(yield* tagOf(exported(id)), "UserNotFound")
    }).pipe(asNewUser)
  )
})
