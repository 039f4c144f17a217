import { assert, layer } from "@effect/vitest"
import { TestDatabase } from "@todo/core/testing"
import { Effect, Redacted } from "effect"
import { admin, assertFailed, newUser, run, start, atMostThree } from "./support/program.ts"

/** The database is read-only, as a standby is, or as `default_transaction_read_only` makes it. */
const readOnly = (url: Redacted.Redacted) => {
  const changed = new URL(Redacted.value(url))
  changed.searchParams.set("options", "-c default_transaction_read_only=on")
  // `URLSearchParams` writes a space as `+`, which only forms decode.
  return changed.href.replaceAll("+", "%20")
}

layer(TestDatabase.layer, { excludeTestServices: true })("todo-admin on a database in read-only mode", (it) => {
  it.effect("todo-admin reads a read-only database, and explains why a write fails", () =>
    Effect.gen(function* () {
      const { ownerUrl, url } = yield* TestDatabase
      const environment = { DATABASE_URL: readOnly(url), TODO_MIGRATE_URL: readOnly(ownerUrl) }
      const user = newUser()
      assert.strictEqual((yield* admin("todo", "add", "--user", user, "kept")).code, 0)
      const file = (yield* admin("user", "export", user)).stdout
      const [list, exported, status, ...refused] = yield* atMostThree(
        run(["todo", "list", "--user", user], environment),
        run(["user", "export", user], environment),
        run(["migrate", "status"], environment),
        run(["todo", "add", "--user", user, "x"], environment),
        run(["user", "disable", user], environment),
        run(["user", "erase", user, "--yes"], environment),
        Effect.promise(() => start(["user", "import", newUser(), "-"], environment, file).ended)
      )
      for (const { code } of [list, exported, status]) assert.strictEqual(code, 0)
      assert.match(list.stdout, /kept/)
      assert.strictEqual(exported.stdout, file)
      assert.lengthOf(refused, 4)
      for (const made of refused) {
        assertFailed(made, 1, /: the database is read-only, .*primary/)
      }
      const doctor = yield* run(["doctor"], environment)
      assert.strictEqual(doctor.code, 6)
      assert.match(doctor.stdout, /failed +writes: .*read-only mode\n +hint: .*default_transaction_read_only/)
      assert.notMatch(doctor.stdout, /could not be checked/)
      assert.match((yield* admin("user", "show", user)).stdout, /1 open/)
    })
  )
})
