import { assert, describe, layer } from "@effect/vitest"
import { Lists, Todos } from "@todo/core"
import { TestDatabase } from "@todo/core/testing"
import { Effect, Redacted } from "effect"
import { admin, asUser, assertFailed, json, newUser, run, sql, atMostThree } from "../support/program.ts"

/** A user with two todos and a list that have been in the trash for 40 days, and a todo that was just moved there. */
const someone = Effect.gen(function* () {
  const user = newUser()
  const { adminUrl } = yield* TestDatabase
  const trash = (title: string) =>
    Effect.flatMap(Todos, (todos) => Effect.flatMap(todos.create({ title }), ({ id }) => todos.delete(id)))
  yield* asUser(
    user,
    Effect.gen(function* () {
      const lists = yield* Lists
      yield* trash("one")
      yield* trash("two")
      yield* lists.delete((yield* lists.create({ name: "Errands" })).id)
    })
  )
  for (const table of ["todos", "lists"]) {
    yield* sql(adminUrl, `update todo.${table} set deleted_at = now() - interval '40 days' where owner_id = '${user}'`)
  }
  yield* asUser(user, trash("three"))
  return user
})

/** The titles and names of everything in the trash of a user. */
const trashOf = (user: string) =>
  Effect.map(
    Effect.flatMap(TestDatabase, ({ adminUrl }) =>
      sql(
        adminUrl,
        `select title as name from todo.todos where owner_id = '${user}' and deleted_at is not null
        union all select name from todo.lists where owner_id = '${user}' and deleted_at is not null order by 1`
      )
    ),
    (rows) => rows.map((row) => (row as { readonly name: string }).name)
  )

const purge = ["purge", "--older-than", "30d"]

layer(TestDatabase.layer, { excludeTestServices: true })((it) => {
  describe("todo-admin purge", () => {
    it.effect("a dry run of `purge` counts rows and removes none", () =>
      Effect.gen(function* () {
        const user = yield* someone
        const [document, shown] = yield* atMostThree(
          json<{ readonly before: string }>(...purge, "--user", user, "--dry-run"),
          admin(...purge, "--user", user, "--dry-run")
        )
        const { before, ...counts } = document
        assert.deepStrictEqual(counts, { todos: 2, lists: 1, keys: 0, users: 1, dryRun: true } as object)
        const age = Date.now() - Date.parse(before)
        assert.isTrue(age > 30 * 86_400_000 && age < 30 * 86_400_000 + 120_000)
        assert.strictEqual(shown.stdout, "Would remove 2 todos, 1 list and 0 idempotency keys of 1 user\n")
        assert.match(shown.stderr, /^The todos and lists were moved to the trash before \d{4}-\S+Z\n$/)
        assert.deepStrictEqual(yield* trashOf(user), ["Errands", "one", "three", "two"])
      })
    )

    it.effect("`purge --user` removes only that user's rows", () =>
      Effect.gen(function* () {
        const [user, other] = [yield* someone, yield* someone]
        const made = yield* admin(...purge, "--user", user, "--yes")
        assert.strictEqual(made.stdout, "Removed 2 todos, 1 list and 0 idempotency keys of 1 user\n")
        assert.match(made.stderr, /^The todos and lists were moved to the trash before \S+Z\n$/)
        assert.deepStrictEqual(yield* trashOf(user), ["three"])
        assert.deepStrictEqual(yield* trashOf(other), ["Errands", "one", "three", "two"])
      })
    )

    it.effect("`purge` without --user removes the rows of all users", () =>
      Effect.gen(function* () {
        const users = [yield* someone, yield* someone]
        const made = yield* json<{ readonly users: number }>(...purge, "--yes")
        // The tests above have left old rows too.
        assert.isAtLeast(made.users, 2)
        for (const user of users) assert.deepStrictEqual(yield* trashOf(user), ["three"])
      })
    )

    it.effect("`purge --quiet` prints nothing", () =>
      Effect.gen(function* () {
        const made = yield* admin(...purge, "--user", yield* someone, "--yes", "--quiet")
        assert.deepStrictEqual(made, { code: 0, stderr: "", stdout: "" })
      })
    )

    it.effect("`purge` does not mention the trash if nothing was in it", () =>
      Effect.gen(function* () {
        const user = yield* someone
        yield* admin(...purge, "--user", user, "--yes")
        const stdout = "Removed 0 todos, 0 lists and 0 idempotency keys of 0 users\n"
        assert.deepStrictEqual(yield* admin(...purge, "--user", user, "--yes"), { code: 0, stderr: "", stdout })
      })
    )

    it.effect("`purge` without a terminal needs --yes", () =>
      Effect.map(admin(...purge), (made) => assertFailed(made, 2, /add --yes/))
    )

    it.effect("`purge` of an unknown user exits with 3", () =>
      Effect.map(admin("purge", "--older-than", "1d", "--user", newUser(), "--yes"), (made) =>
        assertFailed(made, 3, /no such user/)
      )
    )

    it.effect("`purge` as the role of servers names the setting that is missing", () =>
      Effect.gen(function* () {
        const { url } = yield* TestDatabase
        const made = yield* run(["purge", "--older-than", "1d", "--yes"], { DATABASE_URL: Redacted.value(url) })
        assertFailed(made, 1, /set TODO_MIGRATE_URL/)
      })
    )
  })
})
