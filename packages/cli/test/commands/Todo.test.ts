import { randomUUID } from "node:crypto"
import { assert, describe, layer } from "@effect/vitest"
import { Lists, type Page, type Todo, Todos } from "@todo/core"
import { TestDatabase } from "@todo/core/testing"
import { Effect } from "effect"
import { admin, assertFailed, asUser, environment, json, newUser, run, atMostThree } from "../support/program.ts"

/** A user with three todos: "a" is completed and has tags, "b" has a tag and a priority. */
const abc = Effect.gen(function* () {
  const user = newUser()
  const [a, b, c] = yield* asUser(
    user,
    Effect.flatMap(Todos, ({ create }) =>
      Effect.all([
        create({ title: "a", tags: ["x", "y"], completed: true }),
        create({ title: "b", tags: ["x"], priority: "low" }),
        create({ title: "c" })
      ])
    )
  )
  return { a, b, c, user }
})

const list = (user: string, ...flags: ReadonlyArray<string>) =>
  json<Page<Todo>>("todo", "list", "--user", user, ...flags)

const titles = ({ items }: Page<Todo>) => items.map(({ title }) => title)

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
        const [shown, trash] = yield* atMostThree(
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
          const [foreign, random] = yield* atMostThree(
            admin("todo", ...verb, id, "--user", newUser()),
            admin("todo", ...verb, randomUUID(), "--user", newUser())
          )
          assertFailed(foreign, 3, /no todo with this id/)
          assert.deepStrictEqual(foreign, random)
        }
      })
    )

    it.effect("`todo list` of a new user prints no table", () =>
      Effect.map(admin("todo", "list", "--user", newUser()), (made) =>
        assert.deepStrictEqual(made, { code: 0, stdout: "", stderr: "No todos\n" })
      )
    )

    it.effect("`todo list` prints a page and how to get the next, or all pages with --all", () =>
      Effect.gen(function* () {
        const { user } = yield* abc
        const first = yield* admin("todo", "list", "--user", user, "--limit", "2")
        const cursor = /^There are more pages: add --all, or --cursor (\S+)\n$/.exec(first.stderr)?.[1]
        assert.isDefined(cursor)
        const [next, all, other] = yield* atMostThree(
          list(user, "--limit", "2", "--cursor", cursor),
          list(user, "--limit", "1", "--all"),
          admin("todo", "list", "--user", newUser(), "--cursor", cursor)
        )
        assert.deepStrictEqual([titles(next), next.nextCursor], [["c"], null])
        assert.deepStrictEqual([titles(all), all.nextCursor], [["a", "b", "c"], null])
        assertFailed(other, 2, /cursor does not belong to this user/)
      })
    )

    const filters: ReadonlyArray<readonly [flags: ReadonlyArray<string>, listed: ReadonlyArray<string>]> = [
      [["--open"], ["b", "c"]],
      [["--tag", "x", "--tag", "y", "--completed"], ["a"]],
      [["--priority", "low", "--list", "none"], ["b"]],
      [["--sort=-createdAt"], ["c", "b", "a"]],
      [["--search", "b"], ["b"]],
      [
        ["--due", "none", "--time-zone", "Europe/Paris"],
        ["a", "b", "c"]
      ],
      [["--trash"], []]
    ]
    for (const [flags, listed] of filters) {
      it.effect(`\`todo list ${flags.join(" ")}\` lists "${listed.join(" ")}"`, () =>
        Effect.gen(function* () {
          const { user } = yield* abc
          assert.deepStrictEqual(titles(yield* list(user, ...flags)), listed)
        })
      )
    }

    it.effect("`todo move` moves a todo before or after another one", () =>
      Effect.gen(function* () {
        const { a, b, c, user } = yield* abc
        yield* json<Todo>("todo", "move", "--user", user, c.id, "--before", a.id)
        assert.deepStrictEqual(titles(yield* list(user)), ["c", "a", "b"])
        yield* json<Todo>("todo", "move", "--user", user, a.id, "--after", b.id)
        assert.deepStrictEqual(titles(yield* list(user)), ["c", "b", "a"])
      })
    )

    it.effect("`todo move` after an unknown id exits with 3", () =>
      Effect.gen(function* () {
        const { c, user } = yield* abc
        assertFailed(yield* admin("todo", "move", "--user", user, c.id, "--after", randomUUID()), 3, /no todo with/)
      })
    )

    it.effect("`--if-revision` exits with 4 if the todo has none of the revisions", () =>
      Effect.gen(function* () {
        const { c, user } = yield* abc
        const reopen = ["todo", "reopen", c.id, "--user", user]
        assertFailed(yield* admin(...reopen, "--if-revision", "9,8"), 4, new RegExp(`revision is ${c.revision} now`))
        assert.strictEqual((yield* admin(...reopen, "--if-revision", `9,${c.revision}`)).code, 0)
      })
    )

    for (const value of ["", "3,", "0x3"]) {
      it.effect(`\`--if-revision=${value}\` exits with 2 and says what is accepted`, () =>
        Effect.map(admin("todo", "reopen", randomUUID(), "--user", newUser(), `--if-revision=${value}`), (made) =>
          assertFailed(made, 2, /a revision like 7, several like 7,9, or '\*'/)
        )
      )
    }

    it.effect("`todo reopen` accepts any revision with --if-revision='*'", () =>
      Effect.gen(function* () {
        const { a, user } = yield* abc
        const reopened = yield* json<Todo>("todo", "reopen", a.id, "--user", user, "--if-revision", "*")
        assert.isFalse(reopened.completed)
      })
    )

    it.effect("`todo list --count` prints the number of all todos below its table", () =>
      Effect.gen(function* () {
        const { user } = yield* abc
        const { items, total } = yield* json<Page<Todo>>("todo", "list", "--user", user, "--count", "--limit", "1")
        assert.deepStrictEqual([items.map(({ title }) => title), total], [["a"], 3])
        const { stdout } = yield* admin("todo", "list", "--user", user, "--count", "--open")
        assert.match(stdout, /^ID +TITLE .*\n\S+ +b .*\n\S+ +c\n\n2 in total\n$/)
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
        const [here, none, there, nowhere, one, other] = yield* atMostThree(
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
        const [title, tags, list] = yield* atMostThree(
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
        const [list, show, document] = yield* atMostThree(
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
  it.effect("`todo list` without a schema exits with 1 and names `migrate up`", () =>
    Effect.gen(function* () {
      assertFailed(yield* admin("todo", "list", "--user", "a"), 1, /version 0.*: run "todo-admin migrate up"/)
    })
  )
})
