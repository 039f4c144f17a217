import { spawnSync } from "node:child_process"
import { existsSync, mkdtempDisposableSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"

const entry = fileURLToPath(new URL("../bin/todo-admin.js", import.meta.url))

const help = (home: string) => {
  const env = { PATH: process.env["PATH"], HOME: home }
  const { status, stderr, stdout } = spawnSync(process.execPath, [entry, "--help"], { encoding: "utf8", env })
  assert.deepStrictEqual({ status, stderr }, { status: 0, stderr: "" })
  assert.include(stdout, "SUBCOMMANDS")
}

describe("A checkout", () => {
  it("a checkout starts todo-admin from its sources, and keeps the compiled code in the home of the user", () => {
    using home = mkdtempDisposableSync(join(tmpdir(), "todo-home-"))
    help(home.path)
    assert.isTrue(existsSync(join(home.path, ".cache/todo-admin")))
    help(home.path)
  })

  it("a checkout starts todo-admin for a user whose home does not exist", () => {
    help("/nowhere")
    assert.isFalse(existsSync("/nowhere"))
  })
})
