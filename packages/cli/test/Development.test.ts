import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { run, atMostThree, temporaryDirectory } from "./support/program.ts"

describe("todo-admin without DATABASE_URL", () => {
  it.live(
    "todo-admin without DATABASE_URL starts and migrates the embedded database, and shares it with other processes",
    () =>
      Effect.gen(function* () {
        const development = { TODO_DATA_DIR: join(yield* temporaryDirectory(), "data") }
        const unmigrated = yield* run(["todo", "list", "--user", "dev"], { ...development, TODO_MIGRATE: "check" })
        assert.deepInclude(unmigrated, { code: 1, stdout: "" })
        // The first start takes longer, and prints a message before this line.
        assert.match(
          unmigrated.stderr,
          /PostgreSQL.*\ntodo-admin: schema "todo" is at version 0.*: run "todo-admin migrate up"\n$/
        )

        const added = yield* atMostThree(
          run(["todo", "add", "one", "--user", "dev", "--json"], development),
          run(["todo", "add", "two", "--user", "dev", "--json"], development),
          run(["todo", "add", "three", "--user", "dev", "--json"], development)
        )
        for (const { code, stdout } of added) {
          assert.strictEqual(code, 0)
          JSON.parse(stdout)
        }
        const list = yield* run(["todo", "list", "--user", "dev", "--json"], development)
        assert.strictEqual(JSON.parse(list.stdout).items.length, 3)
      }).pipe(Effect.scoped)
  )
})
