import { spawnSync } from "node:child_process"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { run, temporaryDirectory } from "../support/program.ts"

type Shell = "bash" | "zsh" | "fish"

/** The completion script in a file, until the scope ends. */
const script = (shell: Shell) =>
  Effect.gen(function* () {
    const { code, stderr, stdout } = yield* run(["--completions", shell])
    assert.deepStrictEqual({ code, stderr }, { code: 0, stderr: "" })
    const folder = yield* temporaryDirectory()
    yield* Effect.promise(() => writeFile(join(folder, "script"), stdout))
    return join(folder, "script")
  })

const isMissing = (shell: Shell) => spawnSync(shell, ["--version"]).error !== undefined

const output = (shell: Shell, args: ReadonlyArray<string>) => {
  const { status, stderr, stdout } = spawnSync(shell, args, { encoding: "utf8", timeout: 60_000 })
  assert.deepStrictEqual({ status, stderr }, { status: 0, stderr: "" })
  return stdout
}

const bash = `source "$1"
complete_line() {
  COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_LINE="$*" COMPREPLY=()
  COMP_POINT=\${#COMP_LINE}
  "$(complete -p todo-admin | sed 's/.*-F \\([^ ]*\\) .*/\\1/')"
  echo "\${COMPREPLY[*]}"
}
complete_line todo-admin mig
complete_line todo-admin migrate ""
complete_line todo-admin todo list --priority ""`

const fish = `source $argv[1]
complete -C "todo-admin mig"
complete -C "todo-admin migrate "
complete -C "todo-admin todo list --prio"`

/** Types into a shell on its own terminal, including Tab. */
const zsh = `zmodload zsh/zpty
zpty shell "TERM=dumb zsh -f -i"
zpty -w shell "autoload -U compinit; compinit -u -D; source $1; todo-admin() { echo ran: \\$* }; echo rea''dy"
while zpty -r shell line; do [[ $line == *ready* ]] && break; done
zpty -w shell $'todo-admin mig\\tst\\t'
zpty -w shell "echo do''ne"
while zpty -r shell line; do print -r -- $line; [[ $line == *done* ]] && break; done
zpty -d shell`

describe("Completions", () => {
  it.live("completions work in bash", (test) =>
    Effect.gen(function* () {
      if (isMissing("bash")) return test.skip("there is no bash on this machine")
      assert.deepStrictEqual(output("bash", ["--norc", "-c", bash, "bash", yield* script("bash")]).split("\n"), [
        "migrate",
        "plan grants status up",
        "none low medium high",
        ""
      ])
    }).pipe(Effect.scoped)
  )

  it.live("completions work in zsh", (test) =>
    Effect.gen(function* () {
      if (isMissing("zsh")) return test.skip("there is no zsh on this machine")
      assert.match(output("zsh", ["-f", "-c", zsh, "zsh", yield* script("zsh")]), /ran: migrate status/)
    }).pipe(Effect.scoped)
  )

  it.live("completions work in fish", (test) =>
    Effect.gen(function* () {
      if (isMissing("fish")) return test.skip("there is no fish on this machine")
      const completed = output("fish", ["-N", "-c", fish, yield* script("fish")])
      assert.deepStrictEqual(
        completed.split("\n").map((line) => line.split("\t")[0]),
        ["migrate", "grants", "plan", "status", "up", "--priority", ""]
      )
    }).pipe(Effect.scoped)
  )
})
