import { randomUUID } from "node:crypto"
import { assert, describe, layer } from "@effect/vitest"
import { Lists, type Page, type Todo, Todos } from "@todo/core"
import { TestDatabase } from "@todo/core/testing"
import * as Effect from "effect/Effect"
import { admin, assertFailed, asUser, environment, json, newUser, run, together } from "../support/program.ts"

layer(TestDatabase.layer, { excludeTestServices: true })((it) => {
  describe.concurrent("todo-admin todo", () => {
    it.effect("`todo list` shows the names of lists, for any number of lists, also of lists in the trash", () =>
      Effect.gen(function* () {
        const user = newUser()
        yield* asUser(
          user,
          Effect.gen(function* () {
            const lists = yield* Lists
            const todos = yield* Todos
            yield* Effect.forEach(Array(200).keys(), (n) => lists.create({ name: `list ${n}` }))
            const last = yield* lists.create({ name: "the last one" })
            yield* todos.create({ title: "x", listId: last.id })
            const gone = yield* lists.create({ name: "the lost one" })
            yield* todos.create({ title: "y", listId: gone.id })
            yield* lists.delete(gone.id, { todos: "trash" })
          })
        )
        const [shown, trash] = yield* together(
          admin("todo", "list", "--user", user),
          admin("todo", "list", "--user", user, "--trash")
        )
        assert.match(shown.stdout, / {2}x {2,}the last one\n$/)
        assert.match(trash.stdout, / {2}y {2,}the lost one\n$/)
      })
    )

    it.effect("`todo` accepts ids in upper case, and dates as the ends of a range", () =>
      Effect.gen(function* () {
        const user = newUser()
        const dues = ["2026-12-01", "2026-12-02T00:30@Europe/Paris", "2026-12-03"]
        const added = yield* Effect.forEach(dues, (due) => json<Todo>("todo", "add", due, "--user", user, "--due", due))
        const [first] = added
        assert.deepStrictEqual(yield* json("todo", "show", first?.id.toUpperCase() ?? "", "--user", user), first)
        const range = (...flags: ReadonlyArray<string>) =>
          Effect.map(
            json<Page<Todo>>("todo", "list", "--user", user, "--sort=due", "--time-zone", "Europe/Paris", ...flags),
            ({ items }) => items.map(({ title }) => title)
          )
        assert.deepStrictEqual(yield* range("--due-from", "2026-12-02"), dues.slice(1))
        assert.deepStrictEqual(yield* range("--due-to", "2026-12-02"), dues.slice(0, 2))
        assert.deepStrictEqual(yield* range("--due-from", "2026-12-02", "--due-to", "2026-12-02"), dues.slice(1, 2))
      })
    )

    it.effect("`todo` adds, shows, edits, completes, reopens, deletes and restores", () =>
      Effect.gen(function* () {
        const user = newUser()
        const details = ["--description", "2 l", "--priority", "high", "--tag", "home", "--tag", "shop"]
        const due = "2026-12-01T09:00@Europe/Paris"
        const added = yield* json<Todo>("todo", "add", "Buy milk", "--user", user, "--due", due, ...details)
        assert.deepInclude(added, {
          title: "Buy milk",
          description: "2 l",
          priority: "high",
          tags: ["home", "shop"],
          due: { dateTime: "2026-12-01T09:00:00", timeZone: "Europe/Paris" },
          revision: 1
        })
        const { id } = added
        assert.deepStrictEqual(yield* json<Todo>("todo", "show", id, "--user", user), added)

        const changes = ["--title", "Buy oat milk", "--clear-description", "--due", "2026-12-02", "--clear-tags"]
        const edited = yield* json<Todo>("todo", "edit", id, "--user", user, "--if-revision", "1", ...changes)
        const { updatedAt } = edited
        assert.deepStrictEqual(edited, {
          ...added,
          title: "Buy oat milk",
          description: null,
          due: { date: "2026-12-02" },
          tags: [],
          revision: 2,
          updatedAt
        })
        assertFailed(
          yield* admin("todo", "edit", id, "--user", user, "--title", "late", "--if-revision", "1"),
          4,
          /the revision is 2 now/
        )

        assert.isTrue((yield* json<Todo>("todo", "done", id, "--user", user)).completed)
        assert.isFalse((yield* json<Todo>("todo", "reopen", id, "--user", user)).completed)
        assert.isNotNull((yield* json<Todo>("todo", "delete", id, "--user", user, "--yes")).deletedAt)
        assertFailed(yield* admin("todo", "show", id, "--user", user), 3, /no todo with this id/)
        assert.isNull((yield* json<Todo>("todo", "restore", id, "--user", user)).deletedAt)
      })
    )

    it.effect("the id of another user's todo is treated exactly like an unknown id", () =>
      Effect.gen(function* () {
        const { id } = yield* json<Todo>("todo", "add", "mine", "--user", newUser())
        for (const verb of [["show"], ["edit", "--title", "taken"], ["delete", "--yes"]]) {
          const [foreign, random] = yield* together(
            admin("todo", ...verb, id, "--user", newUser()),
            admin("todo", ...verb, randomUUID(), "--user", newUser())
          )
          assertFailed(foreign, 3, /no todo with this id/)
          assert.deepStrictEqual(foreign, random)
        }
      })
    )

    it.effect("lists a page, filtered todos, and all todos", () =>
      Effect.gen(function* () {
        const user = newUser()
        const list = (...flags: ReadonlyArray<string>) => json<Page<Todo>>("todo", "list", "--user", user, ...flags)
        const titles = ({ items }: Page<Todo>) => items.map(({ title }) => title)
        assert.deepStrictEqual(yield* admin("todo", "list", "--user", user), {
          code: 0,
          stdout: "",
          stderr: "No todos\n"
        })

        const a = yield* json<Todo>("todo", "add", "a", "--user", user, "--tag", "x", "--tag", "y")
        yield* admin("todo", "add", "b", "--user", user, "--tag", "x", "--priority", "low")
        yield* admin("todo", "add", "c", "--user", user)
        yield* admin("todo", "done", a.id, "--user", user)

        const first = yield* admin("todo", "list", "--user", user, "--limit", "2")
        const cursor = /^There are more pages: add --all, or --cursor (\S+)\n$/.exec(first.stderr)?.[1]
        assert.isDefined(cursor)
        const [next, all, open, tagged, low, descending, searched, due, trash, other] = yield* together(
          list("--limit", "2", "--cursor", cursor),
          list("--limit", "1", "--all"),
          list("--open"),
          list("--tag", "x", "--tag", "y", "--completed"),
          list("--priority", "low", "--list", "none"),
          list("--sort=-createdAt"),
          list("--search", "b"),
          list("--due", "none", "--time-zone", "Europe/Paris"),
          list("--trash"),
          admin("todo", "list", "--user", newUser(), "--cursor", cursor)
        )
        assert.deepStrictEqual([titles(next), next.nextCursor], [["c"], null])
        assert.deepStrictEqual([titles(all), all.nextCursor], [["a", "b", "c"], null])
        assert.deepStrictEqual(titles(open), ["b", "c"])
        assert.deepStrictEqual(titles(tagged), ["a"])
        assert.deepStrictEqual(titles(low), ["b"])
        assert.deepStrictEqual(titles(descending), ["c", "b", "a"])
        assert.deepStrictEqual(titles(searched), ["b"])
        assert.deepStrictEqual(titles(due), ["a", "b", "c"])
        assert.deepStrictEqual(titles(trash), [])
        assertFailed(other, 2, /cursor does not belong to this user/)
      })
    )

    it.effect("moves a todo before or after another one, at the given revision", () =>
      Effect.gen(function* () {
        const user = newUser()
        const [a, b, c] = yield* asUser(
          user,
          Effect.flatMap(Todos, ({ create }) => Effect.forEach(["a", "b", "c"], (title) => create({ title })))
        )
        assert.isDefined(a)
        assert.isDefined(b)
        assert.isDefined(c)
        const before = ["todo", "move", "--user", user, c.id, "--before", a.id]
        const [late, missing] = yield* together(
          admin(...before, "--if-revision", "9,8"),
          admin("todo", "move", "--user", user, c.id, "--after", randomUUID())
        )
        assertFailed(late, 4, /the revision is 3 now/)
        assertFailed(missing, 3, /no todo with this id/)

        assert.strictEqual((yield* json<Todo>(...before, "--if-revision", "2,3")).revision, 4)
        const reopen = ["todo", "reopen", c.id, "--user", user]
        const [any, ...wrong] = yield* together(
          admin(...reopen, "--if-revision", "*"),
          ...["", "3,", "0x3"].map((value) => admin(...reopen, `--if-revision=${value}`))
        )
        assert.strictEqual(any.code, 0)
        for (const each of wrong) assertFailed(each, 2, /a revision like 7, several like 7,9, or '\*'/)
        yield* json<Todo>("todo", "move", "--user", user, a.id, "--after", b.id)
        const { items, total } = yield* json<Page<Todo>>("todo", "list", "--user", user, "--count", "--limit", "1")
        assert.deepStrictEqual([items.map(({ title }) => title), total], [["c"], 3])
        const { stdout } = yield* admin("todo", "list", "--user", user, "--count")
        assert.match(stdout, /^ID +TITLE\n\S+ +c\n\S+ +b\n\S+ +a\n\n3 in total\n$/)
      })
    )

    it.effect("tables use the local time zone, and JSON uses UTC", () =>
      Effect.gen(function* () {
        const user = newUser()
        // It is always a day later in Kiritimati than in Pago Pago.
        const [kiritimati, pagoPago] = ["Pacific/Kiritimati", "Pacific/Pago_Pago"]
        const date = new Intl.DateTimeFormat("en-CA", { timeZone: kiritimati }).format(new Date())
        yield* asUser(
          user,
          Effect.gen(function* () {
            const list = yield* (yield* Lists).create({ name: "Errands" })
            yield* (yield* Todos).create({ title: "x", due: { date }, priority: "high", listId: list.id })
          })
        )
        const installed = yield* environment
        const list = (TZ: string, ...flags: ReadonlyArray<string>) =>
          run(["todo", "list", "--user", user, ...flags], { ...installed, TZ })
        const [here, none, there, nowhere, one, other] = yield* together(
          list(kiritimati, "--due", "today"),
          list(pagoPago, "--due", "today"),
          list(kiritimati, "--time-zone", pagoPago),
          list("Nowhere/Land"),
          list(kiritimati, "--due", "today", "--json"),
          list(pagoPago, "--due", "today", "--json")
        )
        assert.match(here.stdout, /^ID +TITLE +DUE +P +LIST\n\S+ +x +today +H +Errands\n$/)
        assert.deepStrictEqual(none, { code: 0, stdout: "", stderr: "No todos\n" })
        assert.match(there.stdout, / x +(tomorrow|in 2 days) /)
        assert.match(nowhere.stdout, / x +(today|tomorrow) /)
        assert.deepStrictEqual(one, other)
      })
    )

    it.effect("an error names the rule that a field breaks, and a list that does not exist", () =>
      Effect.gen(function* () {
        const [title, tags, list] = yield* together(
          admin("todo", "add", " ", "--user", newUser()),
          admin("todo", "add", "x", "--user", newUser(), "--tag", "twice", "--tag", "twice"),
          admin("todo", "add", "x", "--user", newUser(), "--list", randomUUID())
        )
        assertFailed(title, 2, /: title must have a character that is not white space\n/)
        assertFailed(tags, 2, /: tags must not have the same tag twice\n/)
        assertFailed(list, 3, /no list with this id/)
      })
    )

    it.effect("control characters of stored text do not reach the terminal", () =>
      Effect.gen(function* () {
        const user = newUser()
        const nasty = "\u001B[31mred \u001B]0;title\u0007 \u009B2J back\b\u202Ereversed\r\n\u007F"
        const texts = ["--description", `one\n${nasty}`, "--tag", "\u001B[2J"]
        const added = yield* json<Todo>("todo", "add", nasty, "--user", user, ...texts)
        assert.strictEqual(added.title, nasty)
        const [list, show, document] = yield* together(
          admin("todo", "list", "--user", user),
          admin("todo", "show", added.id, "--user", user),
          admin("todo", "show", added.id, "--user", user, "--json")
        )
        const harmful = /[^\P{Cc}\n]|[\u202A-\u202E]/u
        assert.match(list.stdout, /red/)
        assert.notMatch(list.stdout, harmful)
        assert.strictEqual(list.stdout.split("\n").length, 3)
        assert.match(show.stdout, /description +one\n +\S*red/)
        assert.notMatch(show.stdout, harmful)
        assert.notMatch(document.stdout, /[^\P{Cc}\n]/u)
      })
    )
  })
})

layer(TestDatabase.layerEmpty, { excludeTestServices: true })("todo-admin todo, without a schema", (it) => {
  it.effect("an empty list says how to create a todo", () =>
    Effect.gen(function* () {
      assertFailed(yield* admin("todo", "list", "--user", "a"), 1, /version 0.*: run "todo-admin migrate up"/)
    })
  )
})
