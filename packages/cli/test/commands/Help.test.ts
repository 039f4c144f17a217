import { spawnSync } from "node:child_process"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { Command } from "effect/cli"
import { todoAdmin } from "../../src/TodoAdmin.ts"
import { bin, run } from "../support/program.ts"

type Node = Command.Command.Any & { readonly path: string }

const walk = (command: Command.Command.Any, above = ""): ReadonlyArray<Node> => {
  const path = `${above} ${command.name}`.trim()
  return [
    { ...command, path },
    ...command.subcommands.flatMap(({ commands }) => commands.flatMap((below) => walk(below, path)))
  ]
}

const tree = walk(todoAdmin)

describe("The help of every command", () => {
  it("the test finds the whole command tree", () => assert.isAbove(tree.length, 25))

  for (const { description, examples, path, subcommands } of tree) {
    it(`the help of ${path} has an example`, () => {
      assert.isNotEmpty(description)
      assert.isNotEmpty(examples, `${path} --help has no example`)
      const shown = examples.map(({ command }) => command)
      assert.isTrue(
        shown.some((command) => command.includes(path)),
        shown.join()
      )
      // The examples of a noun with verbs must use one of its verbs.
      const verbs = subcommands.flatMap(({ commands }) => commands.map(({ name }) => name))
      if (verbs.length > 0 && path !== "todo-admin") {
        for (const command of shown) assert.include(verbs, command.slice(path.length + 1).split(" ")[0])
      }
    })
  }

  it.live("the help has colours on a terminal, but not with NO_COLOR or in a pipe", (test) =>
    Effect.gen(function* () {
      if (spawnSync("script", ["--version"]).error) return test.skip("there is no script(1) on this machine")
      const onTerminal = (environment: Record<string, string>) =>
        spawnSync("script", ["-qec", `"${process.execPath}" "${bin}" migrate --help`, "/dev/null"], {
          env: { TERM: "xterm", ...environment },
          encoding: "utf8"
        }).stdout
      assert.include(onTerminal({}), "\u001B[")
      const { stderr, stdout } = yield* run(["migrate", "--help"])
      for (const plain of [onTerminal({ NO_COLOR: "1" }), onTerminal({ TERM: "dumb" }), stdout]) {
        assert.notInclude(plain, "\u001B")
        assert.match(plain, /\nEXAMPLES\r?\n/)
      }
      assert.strictEqual(stderr, "")
    })
  )
})
