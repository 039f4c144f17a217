import { spawnSync } from "node:child_process"
import { assert, describe, it, layer } from "@effect/vitest"
import { TestDatabase } from "@todo/core/testing"
import { Console, Deferred, Effect, Layer, Sink, Stdio, Terminal } from "effect"
import { displayWidth } from "effect/cli/CliOutput"
import { Json, Quiet } from "../../src/flags/GlobalFlags.ts"
import { renderProgress, withProgress } from "../../src/terminal/Progress.ts"
import { admin, bin, environment, newUser } from "../support/program.ts"

interface Situation {
  readonly terminal?: boolean
  readonly json?: boolean
  readonly quiet?: boolean
}

/** The content of stderr after work that printed a message and finished three of ten steps. */
const stderr = Effect.fnUntraced(function* ({ json = false, quiet = false, terminal = true }: Situation) {
  let written = ""
  const drawn = yield* Deferred.make<void>()
  const write = (text: string | Uint8Array) =>
    Effect.andThen(
      Effect.sync(() => void (written += String(text))),
      written.includes("3 of 10") ? Deferred.succeed(drawn, undefined) : Effect.void
    )
  const result = yield* withProgress("Exporting", 10, (advance) =>
    Effect.gen(function* () {
      yield* Console.error("a word")
      yield* advance(1)
      yield* advance(2)
      if (terminal && !json && !quiet) yield* Deferred.await(drawn)
      return "done"
    })
  ).pipe(
    Effect.provideService(Console.Console, {
      ...(yield* Console.Console),
      error: (line: string) => void (written += `${line}\n`)
    }),
    Effect.provideService(Json, json),
    Effect.provideService(Quiet, quiet),
    Effect.provide(
      Layer.merge(
        Stdio.layerTest({ stderr: () => Sink.forEach(write), stderrIsTerminal: Effect.succeed(terminal) }),
        Layer.mock(Terminal.Terminal, { "~effect/Terminal": "~effect/Terminal", columns: Effect.succeed(60) })
      )
    )
  )
  assert.strictEqual(result, "done")
  return written
})

describe("Progress", () => {
  it.live("the progress redraws one line below other messages, and erases it at the end", () =>
    Effect.gen(function* () {
      const written = yield* stderr({})
      const erase = "\r\u001B[K"
      assert.include(written, `${erase}a word\n`)
      assert.include(written, `${erase}Exporting █████████░░░░░░░░░░░░░░░░░░░░░  3 of 10`)
      assert.isTrue(written.endsWith(erase))
    })
  )

  it.live("the progress shows nothing if stderr is not a terminal, or with --json or --quiet", () =>
    Effect.gen(function* () {
      for (const situation of [{ terminal: false }, { json: true }, { quiet: true }]) {
        assert.strictEqual(yield* stderr(situation), "a word\n")
      }
    })
  )

  it("the progress line is always narrower than the terminal", () => {
    assert.strictEqual(renderProgress("Purging", 5, 10, 40), "Purging ███████████░░░░░░░░░░░  5 of 10")
    assert.strictEqual(renderProgress("Purging", 1_000, 2_000, 28), "Purging ██░░ 1,000 of 2,000")
    assert.strictEqual(renderProgress("Purging", 1_234, undefined, 40), "Purging 1,234")
    assert.strictEqual(renderProgress("Purging", 0, 0, 18), "Purging 0 of 0")
    assert.strictEqual(renderProgress("Purging", 11, 10, 27), "Purging █████████ 11 of 10")
    for (let width = 8; width < 100; width++) {
      for (const total of [undefined, 0, 7, 123_456]) {
        assert.isBelow(displayWidth(renderProgress("Importing\u001B users", 7, total, width)), width)
      }
    }
  })
})

layer(TestDatabase.layer, { excludeTestServices: true })("On a terminal that only stderr is", (it) => {
  const width = 24

  /** The text on the terminal after everything was written to it, if no line was too long. */
  const shown = (written: string) =>
    written
      .replaceAll("\r\u001B[K", "\n")
      .split("\n")
      .map((line) => {
        assert.isAtMost(displayWidth(line), width)
        return line
      })

  it.effect("the progress bar stays on one line, and is erased at the end", (test) =>
    Effect.gen(function* () {
      if (spawnSync("script", ["--version"]).error) return test.skip("there is no script(1) on this machine")
      const user = newUser()
      yield* admin("todo", "add", "--user", user, "x")
      const command = `stty cols ${width}; exec "${process.execPath}" "${bin}" user export ${user} > /dev/null`
      const { stdout } = spawnSync("script", ["-qec", command, "/dev/null"], {
        env: { PATH: process.env["PATH"], TERM: "xterm", ...(yield* environment) },
        encoding: "utf8"
      })
      const lines = shown(stdout.replace(/Exported .*/, ""))
      assert.isTrue(
        lines.some((line) => /^Exporting .*of 1$/.test(line)),
        stdout
      )
    })
  )
})
