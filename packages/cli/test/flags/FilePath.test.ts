import { spawnSync } from "node:child_process"
import { mkdir, readdir, readFile } from "node:fs/promises"
import { join, relative } from "node:path"
import { fileURLToPath } from "node:url"
import { assert, describe, layer } from "@effect/vitest"
import { TestDatabase } from "@todo/core/testing"
import { Effect } from "effect"
import { environment, json, newUser, start, atMostThree, temporaryDirectory } from "../support/program.ts"

layer(TestDatabase.layer, { excludeTestServices: true })((it) => {
  describe.concurrent("A file on the command line", () => {
    it.effect("a path is resolved against the current folder, and may be - or begin with ~", () =>
      Effect.gen(function* () {
        const directory = yield* temporaryDirectory()
        const user = newUser()
        yield* json("todo", "add", "--user", user, "x")
        const given = { ...(yield* environment), HOME: directory, INIT_CWD: join(directory, "in here") }
        yield* Effect.promise(() => mkdir(given.INIT_CWD))
        const byNpm = { ...given, npm_lifecycle_event: "todo-admin" }
        const exporting = (environment: Record<string, string>, ...output: ReadonlyArray<string>) =>
          Effect.promise(() => start(["user", "export", user, ...output], environment).ended)
        const [out] = yield* atMostThree(
          exporting(byNpm, "--output", "-"),
          exporting(byNpm, "-o", "my file.ndjson"),
          exporting(byNpm, "--output=~/home.ndjson"),
          exporting(byNpm, "--output", join(directory, "absolute.ndjson")),
          // Another npm script may call the program from its own folder.
          exporting(
            { ...given, npm_lifecycle_event: "backup" },
            "-o",
            relative(process.cwd(), join(directory, "script"))
          )
        )
        const files = yield* Effect.promise(() => readdir(directory, { recursive: true }))
        const names = ["absolute.ndjson", "home.ndjson", "in here", "in here/my file.ndjson", "script"]
        assert.deepStrictEqual(files.toSorted(), names)
        for (const name of names.filter((name) => name !== "in here")) {
          assert.strictEqual(yield* Effect.promise(() => readFile(join(directory, name), "utf8")), out.stdout)
        }
        for (const path of ["my file.ndjson", "~/home.ndjson"]) {
          const imported = yield* Effect.promise(() => start(["user", "import", path, "--json"], byNpm).ended)
          assert.deepStrictEqual([imported.code, imported.stderr], [0, ""])
        }
      })
    )

    it.effect("a path is resolved against the folder where npm was started", () =>
      Effect.gen(function* () {
        const cwd = fileURLToPath(new URL("../../..", import.meta.url))
        // npm changes to the root of the repository, where the same name would be another file.
        const directory = yield* temporaryDirectory(join(cwd, "cli"))
        const user = newUser()
        yield* json("todo", "add", "--user", user, "x")
        const path = relative(cwd, join(directory, "out.ndjson"))
        const args = ["run", "-s", "todo-admin", "--", "user", "export", user, "--output", path]
        const { status, stderr } = spawnSync("npm", args, {
          cwd,
          encoding: "utf8",
          env: { PATH: process.env["PATH"], HOME: directory, ...(yield* environment) }
        })
        assert.strictEqual(status, 0, stderr)
        assert.include(yield* Effect.promise(() => readdir(directory)), "out.ndjson")
      })
    )
  })
})
