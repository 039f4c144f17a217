import { assert, describe, layer } from "@effect/vitest"
import { Lists, Todos } from "@todo/core"
import type { User } from "@todo/core/admin"
import type { Page } from "@todo/core/domain"
import { TestDatabase } from "@todo/core/testing"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { admin, asUser, assertFailed, json, newUser, run, together } from "./program.ts"

const add = (user: string, ...titles: ReadonlyArray<string>) =>
  asUser(
    user,
    Effect.flatMap(Todos, ({ create }) => Effect.forEach(titles, (title) => create({ title })))
  )

layer(TestDatabase.layer, { excludeTestServices: true })((it) => {
  describe("todo-admin user list", () => {
    it.effect("lists who there is with what they have, in every order, a page at a time", () =>
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
        const [byId, bySize, byChange, byCreation] = yield* together(
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

        const [first, drawn] = yield* together(
          list("--sort=-size", "--limit", "2"),
          admin("user", "list", "--sort=-size", "--limit", "2")
        )
        assert.deepStrictEqual(ids(first), [b, c])
        const today = new Date().toISOString().slice(0, 10)
        assert.strictEqual(
          drawn.stdout,
          `${"ID".padEnd(43)}  OPEN  DONE  TRASH  LISTS  CHANGED     CREATED
${b}  1     1     1      1      ${today}  ${today}
${c}  2     0     0      0      ${today}  ${today}
`
        )
        assert.strictEqual(drawn.stderr, `There are more: add --all, or --cursor ${first.nextCursor}\n`)
        const [second, other] = yield* together(
          list("--sort=-size", "--cursor", first.nextCursor ?? ""),
          admin("user", "list", "--cursor", first.nextCursor ?? "")
        )
        assert.deepStrictEqual(ids(second), [a])
        assertFailed(other, 2, /cursor was not made for/)
      })
    )

    it.effect("fails as a role that would see nobody, and says how to connect", () =>
      Effect.gen(function* () {
        const { url } = yield* TestDatabase
        const list = yield* run(["user", "list"], { DATABASE_URL: Redacted.value(url) })
        assertFailed(list, 1, /needs the owner of the tables, "todo_owner"; set TODO_MIGRATE_URL/)
      })
    )
  })
})
