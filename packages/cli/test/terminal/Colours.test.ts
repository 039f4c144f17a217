import { spawnSync } from "node:child_process"
import { assert, describe, it } from "@effect/vitest"
import { bin } from "../support/program.ts"

describe("Colours", () => {
  const situations: ReadonlyArray<readonly [environment: Record<string, string>, terminal: boolean, pipe: boolean]> = [
    [{}, true, false],
    [{ FORCE_COLOR: "" }, true, false],
    [{ FORCE_COLOR: "0" }, false, false],
    [{ FORCE_COLOR: "false" }, false, false],
    [{ FORCE_COLOR: "1" }, true, true],
    [{ FORCE_COLOR: "2" }, true, true],
    [{ FORCE_COLOR: "3" }, true, true],
    [{ FORCE_COLOR: "true" }, true, true],
    [{ NO_COLOR: "1" }, false, false],
    [{ NO_COLOR: "" }, true, false],
    [{ NO_COLOR: "1", FORCE_COLOR: "1" }, false, false],
    [{ TERM: "dumb" }, false, false],
    [{ TERM: "dumb", FORCE_COLOR: "1" }, true, true],
    [{ TERM: "dumb", FORCE_COLOR: "0" }, false, false]
  ]
  const hasScript = spawnSync("script", ["--version"]).error === undefined

  for (const [environment, terminal, pipe] of situations) {
    it(`colours follow ${JSON.stringify(environment)}`, (test) => {
      const env = { TERM: "xterm", HOME: "/nowhere", ...environment }
      const piped = spawnSync(process.execPath, [bin, "migrate", "--help"], { env, encoding: "utf8" })
      assert.deepStrictEqual([piped.stdout.includes("\u001B["), piped.stderr], [pipe, ""])
      if (!hasScript) {
        console.warn("SKIPPED: script(1) is not installed (apt-get install bsdutils): no terminal was looked at")
        return test.skip()
      }
      const command = `"${process.execPath}" "${bin}" migrate --help`
      const shown = spawnSync("script", ["-qec", command, "/dev/null"], { env, encoding: "utf8" }).stdout
      assert.strictEqual(shown.includes("\u001B["), terminal)
    })
  }
})
