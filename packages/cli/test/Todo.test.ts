import { randomUUID } from "node:crypto"
import { assert, describe, layer } from "@effect/vitest"
import type { Page, Todo } from "@todo/core"
import { TestDatabase } from "@todo/core/testing"
import * as Effect from "effect/Effect"
import { admin, assertFailed, json, newUser, together } from "./program.ts"

layer(TestDatabase.layer, { excludeTestServices: true })((it) => {
  describe.concurrent("todo-admin todo", () => {
    it.effect("adds, shows, edits, completes, reopens, deletes and restores", () =>
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
          /at revision 2 by now/
        )

        assert.isTrue((yield* json<Todo>("todo", "done", id, "--user", user)).completed)
        assert.isFalse((yield* json<Todo>("todo", "reopen", id, "--user", user)).completed)
        assert.isNotNull((yield* json<Todo>("todo", "delete", id, "--user", user, "--yes")).deletedAt)
        assertFailed(yield* admin("todo", "show", id, "--user", user), 3, /no such todo/)
        assert.isNull((yield* json<Todo>("todo", "restore", id, "--user", user)).deletedAt)
      })
    )

    it.effect("answers another user's id exactly like one that does not exist", () =>
      Effect.gen(function* () {
        const { id } = yield* json<Todo>("todo", "add", "mine", "--user", newUser())
        for (const verb of [["show"], ["edit", "--title", "taken"], ["delete", "--yes"]]) {
          const [foreign, random] = yield* together(
            admin("todo", ...verb, id, "--user", newUser()),
            admin("todo", ...verb, randomUUID(), "--user", newUser())
          )
          assertFailed(foreign, 3, /no such todo/)
          assert.deepStrictEqual(foreign, random)
        }
      })
    )

    it.effect("lists by page, by filter and whole", () =>
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
        const cursor = /^There are more: add --all, or --cursor (\S+)\n$/.exec(first.stderr)?.[1]
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
        assertFailed(other, 2, /cursor was not made for this user/)
      })
    )

    it.effect("says which rule a field breaks, and where a list is missing", () =>
      Effect.gen(function* () {
        const [title, tags, list] = yield* together(
          admin("todo", "add", " ", "--user", newUser()),
          admin("todo", "add", "x", "--user", newUser(), "--tag", "twice", "--tag", "twice"),
          admin("todo", "add", "x", "--user", newUser(), "--list", randomUUID())
        )
        assertFailed(title, 2, /title: expected text with at least one character/)
        assertFailed(tags, 2, /tags: expected/)
        assertFailed(list, 3, /no such list/)
      })
    )

    it.effect("lets no control character of a stored text reach the terminal", () =>
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
  it.effect("says how to make it", () =>
    Effect.gen(function* () {
      assertFailed(yield* admin("todo", "list", "--user", "a"), 1, /version 0.*: run "todo-admin migrate up"/)
    })
  )
})
