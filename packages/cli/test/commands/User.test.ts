import { assert, describe, layer } from "@effect/vitest"
import { Lists, Todos } from "@todo/core"
import type { Erased, User, UserDetails } from "@todo/core/admin"
import type { Page } from "@todo/core/domain"
import { TestDatabase } from "@todo/core/testing"
import { Effect, Redacted } from "effect"
import { add, admin, asUser, assertFailed, json, newUser, run, atMostThree } from "../support/program.ts"

layer(TestDatabase.layer, { excludeTestServices: true })((it) => {
  describe("todo-admin user list", () => {
    it.effect("`user list` lists users with their numbers, in every order, a page at a time", () =>
      Effect.gen(function* () {
        const nobody = yield* admin("user", "list")
        assert.deepStrictEqual(nobody, { code: 0, stdout: "", stderr: "No users\n" })
        const [a, b, c] = [`a-${newUser()}`, `b-${newUser()}`, `c-${newUser()}`]
        yield* add(b, "one", "two", "three")
        yield* asUser(
          b,
          Effect.gen(function* () {
            const todos = yield* Todos
            const [one, two] = (yield* todos.list({})).items
            yield* todos.complete(one?.id ?? assert.fail())
            yield* todos.delete(two?.id ?? assert.fail())
            yield* (yield* Lists).create({ name: "Errands" })
          })
        )
        yield* add(a, "one")
        yield* add(c, "one", "two")

        const list = (...flags: ReadonlyArray<string>) => json<Page<User>>("user", "list", ...flags)
        const [byId, bySize, byChange, byCreation] = yield* atMostThree(
          list("--count"),
          list("--sort=-size"),
          list("--sort", "updatedAt", "--all"),
          list("--sort=-createdAt")
        )
        const ids = (page: Page<User>) => page.items.map(({ id }) => id)
        assert.deepInclude(byId, { nextCursor: null, total: 3 })
        assert.deepStrictEqual([byId, bySize, byChange, byCreation].map(ids), [
          [a, b, c],
          [b, c, a],
          [b, a, c],
          [c, a, b]
        ])
        const { createdAt, updatedAt, ...user } = byId.items[1] ?? assert.fail()
        assert.deepStrictEqual(user, {
          id: b,
          revision: 6,
          counts: { open: 1, completed: 1, trashed: 1, lists: 1 },
          disabledAt: null
        } as object)
        assert.isBelow(Date.parse(createdAt), Date.parse(updatedAt))

        const [first, drawn] = yield* atMostThree(
          list("--sort=-size", "--limit", "2"),
          admin("user", "list", "--sort=-size", "--limit", "2")
        )
        assert.deepStrictEqual(ids(first), [b, c])
        const today = new Date().toISOString().slice(0, 10)
        assert.strictEqual(
          drawn.stdout,
          `${"ID".padEnd(43)}  TODOS  LISTS  CHANGED     CREATED
${b}  3      1      ${today}  ${today}
${c}  2      0      ${today}  ${today}
`
        )
        assert.strictEqual(drawn.stderr, `There are more pages: add --all, or --cursor ${first.nextCursor}\n`)
        const [second, other] = yield* atMostThree(
          list("--sort=-size", "--cursor", first.nextCursor ?? ""),
          admin("user", "list", "--cursor", first.nextCursor ?? "")
        )
        assert.deepStrictEqual(ids(second), [a])
        assertFailed(other, 2, /cursor does not belong to/)
      })
    )

    it.effect("`user list` lists disabled users, and marks them in the list of all users", () =>
      Effect.gen(function* () {
        const [off, on] = [`d-${newUser()}`, `d-${newUser()}`]
        yield* add(on, "one")
        yield* admin("user", "disable", off)
        const [only, marked] = yield* atMostThree(json<Page<User>>("user", "list", "--disabled"), admin("user", "list"))
        assert.deepStrictEqual(
          only.items.map(({ id }) => id),
          [off]
        )
        assert.match(marked.stdout, new RegExp(`${off}  0 .*  off\n`))
        assert.match(marked.stdout, new RegExp(`${on}  1 .*\\d\n`))
      })
    )

    it.effect("`user list` fails if the role cannot see all users, and says how to connect", () =>
      Effect.gen(function* () {
        const { url } = yield* TestDatabase
        const list = yield* run(["user", "list"], { DATABASE_URL: Redacted.value(url) })
        assertFailed(list, 1, /connect as the owner of the tables, "todo_owner".*set TODO_MIGRATE_URL/)
      })
    )

    it.effect("`user export` and `user import` as the role of servers name the setting that is missing", () =>
      Effect.gen(function* () {
        const { url } = yield* TestDatabase
        const user = newUser()
        yield* asUser(
          user,
          Effect.flatMap(Todos, (todos) => todos.create({ title: "mine" }))
        )
        const asServer = { DATABASE_URL: Redacted.value(url) }
        const [exported, restored, foreign] = yield* atMostThree(
          run(["user", "export", user], asServer),
          run(["user", "import", "/dev/null"], asServer),
          run(["user", "import", user, "/dev/null", "--format", "todotxt"], asServer)
        )
        for (const made of [exported, restored, foreign]) assertFailed(made, 1, /set TODO_MIGRATE_URL/)
      })
    )
  })

  describe("todo-admin user show, disable and enable", () => {
    it.effect("`user show` shows one user with sizes, and exits with 3 for an unknown user", () =>
      Effect.gen(function* () {
        const [user, nobody] = [newUser(), newUser()]
        yield* add(user, "one", "two")
        const [shown, drawn, unknown, none] = yield* atMostThree(
          json<UserDetails>("user", "show", user),
          admin("user", "show", user),
          admin("user", "show", nobody),
          admin("user", "enable", nobody)
        )
        const { bytes, createdAt, updatedAt, ...rest } = shown
        assert.deepStrictEqual(rest, {
          id: user,
          revision: 2,
          counts: { open: 2, completed: 0, trashed: 0, lists: 0 },
          disabledAt: null,
          horizon: 0
        } as object)
        assert.isTrue(bytes.todos > 200 && bytes.words > 0 && bytes.lists === 0 && bytes.keys === 0)
        assert.strictEqual(
          drawn.stdout,
          `${user}
todos     2 open, 0 done, 0 in the trash
lists     0
size      ${bytes.todos} B of todos, 0 B of lists, ${bytes.words} B of words for search
revision  2
created   ${createdAt}
changed   ${updatedAt}
`
        )
        for (const run of [unknown, none]) assertFailed(run, 3, /no such user; "todo-admin user list"/)
      })
    )

    it.effect("`user disable` and `user enable` say what they did, and can be repeated", () =>
      Effect.gen(function* () {
        const user = newUser()
        yield* add(user, "one")
        const first = yield* admin("user", "disable", user)
        assert.deepInclude(first, { code: 0, stderr: "Disabled: servers refuse this user within 5 seconds\n" })
        assert.match(first.stdout, /\ndisabled  \d{4}-.*Z\n$/)
        assert.strictEqual((yield* Effect.flip(add(user, "two")))._tag, "UserDisabled")
        const again = yield* json<Disabled>("user", "disable", user)
        assert.deepInclude<object>(again, { id: user, changed: false, appeared: false })
        assert.strictEqual((yield* admin("user", "disable", user)).stderr, "The user was already disabled\n")
        assert.include(first.stdout, `disabled  ${again.disabledAt}\n`)

        const enabled = yield* admin("user", "enable", user)
        assert.deepInclude(enabled, { code: 0, stderr: "Enabled: servers accept this user within 5 seconds\n" })
        assert.notInclude(enabled.stdout, "disabled")
        yield* add(user, "two")
        const twice = yield* json<Disabled>("user", "enable", user)
        assert.deepInclude(twice, { changed: false, disabledAt: null })
        assert.strictEqual((yield* admin("user", "enable", user)).stderr, "The user was not disabled\n")
      })
    )

    it.effect("`user disable` disables a user who has never written anything, with a warning about the id", () =>
      Effect.gen(function* () {
        const user = newUser()
        const { code, stderr } = yield* admin("user", "disable", user)
        assert.strictEqual(code, 0)
        assert.match(stderr, /^Disabled\. This user has never written anything: check the id/)
        assert.strictEqual((yield* Effect.flip(add(user, "one")))._tag, "UserDisabled")
        const other = yield* json<Disabled>("user", "disable", newUser())
        assert.deepInclude(other, { changed: true, appeared: true })
      })
    )
  })

  describe("todo-admin user erase", () => {
    it.effect("`user erase` removes only the given user, with --yes", () =>
      Effect.gen(function* () {
        const [user, other] = [newUser(), newUser()]
        yield* add(user, "one", "two")
        yield* add(other, "three")
        const unasked = yield* admin("user", "erase", user)
        assertFailed(unasked, 2, /add --yes/)
        const erased = yield* admin("user", "erase", user, "--yes")
        assert.deepStrictEqual(erased, { code: 0, stderr: "", stdout: `Erased ${user}: 2 todos, 0 lists\n` })
        const [gone, kept] = yield* atMostThree(
          admin("user", "erase", user, "--yes"),
          json<UserDetails>("user", "show", other)
        )
        assertFailed(gone, 3, /no such user/)
        assert.strictEqual(kept.counts.open, 1)
        const document = yield* json<Erased>("user", "erase", other, "--yes")
        assert.deepStrictEqual<object>(document, { id: other, todos: 1, lists: 0 })
      })
    )
  })
})

interface Disabled extends UserDetails {
  readonly changed: boolean
  readonly appeared?: boolean
}
