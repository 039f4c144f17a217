import { assert, describe, layer } from "@effect/vitest"
import { Lists, Todos } from "@todo/core"
import { TestDatabase } from "@todo/core/testing"
import { Effect, Redacted } from "effect"
import { admin, asUser, assertFailed, json, newUser, run, sql, together } from "../support/program.ts"

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

layer(TestDatabase.layer, { excludeTestServices: true })((it) => {
  describe("todo-admin purge", () => {
    it.effect("`purge` counts the rows that it would remove, and removes exactly those", () =>
      Effect.gen(function* () {
        const [user, other] = [yield* someone, yield* someone]
        const args = ["purge", "--older-than", "30d"]
        const [dry, drawn, unasked] = yield* together(
          json<object>(...args, "--user", user, "--dry-run"),
          admin(...args, "--dry-run"),
          admin(...args)
        )
        const { before, ...counts } = dry as { readonly before: string }
        assert.deepStrictEqual(counts, { todos: 2, lists: 1, keys: 0, users: 1, dryRun: true } as object)
        const age = Date.now() - Date.parse(before)
        assert.isTrue(age > 30 * 86_400_000 && age < 30 * 86_400_000 + 120_000)
        assert.strictEqual(drawn.stdout, "Would remove 4 todos, 2 lists and 0 idempotency keys of 2 users\n")
        assert.match(drawn.stderr, /^The items were moved to the trash before \d{4}-\S+Z\n$/)
        assertFailed(unasked, 2, /add --yes/)

        const one = yield* admin(...args, "--user", user, "--yes")
        assert.strictEqual(one.stdout, "Removed 2 todos, 1 list and 0 idempotency keys of 1 user\n")
        assert.match(one.stderr, /^The items were moved to the trash before \S+Z\n$/)
        const rest = yield* json<object>(...args, "--yes")
        assert.deepInclude(rest, { todos: 2, lists: 1, users: 1, dryRun: false })
        const nothing = yield* admin(...args, "--yes", "--quiet")
        assert.deepStrictEqual(nothing, { code: 0, stderr: "", stdout: "" })
        for (const id of [user, other]) {
          assert.deepInclude(yield* json<object>("user", "show", id), {
            counts: { open: 0, completed: 0, trashed: 1, lists: 0 }
          })
        }
      })
    )

    it.effect("`purge` without an age exits with 2", () =>
      Effect.map(admin("purge", "--yes"), (made) => assertFailed(made, 2, /--older-than/))
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
