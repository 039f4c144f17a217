import { spawnSync } from "node:child_process"
import { tmpdir } from "node:os"
import { resolve } from "node:path"
import { settings } from "@todo/core/installation"
import { expect, it } from "vitest"
import pkg from "../../package.json" with { type: "json" }
import { cache, main } from "../support/program.ts"

const entry = resolve(import.meta.dirname, "../../bin/todo-http.js")
const admin = resolve(import.meta.dirname, "../../../cli/bin/todo-admin.js")

/** A server that starts would not end before this timeout. */
const run = (program: string, args: ReadonlyArray<string>, nodeOptions = "") => {
  const env = {
    PATH: process.env["PATH"],
    NODE_COMPILE_CACHE: cache,
    NODE_OPTIONS: nodeOptions,
    TODO_DATA_DIR: "/nowhere"
  }
  const { status, stderr, stdout } = spawnSync(process.execPath, [program, ...args], {
    cwd: tmpdir(),
    encoding: "utf8",
    env,
    timeout: 60_000
  })
  return { status, stderr, stdout }
}

it("todo-http --help names the settings, and starts nothing", () => {
  for (const [program, flag] of [
    [entry, "--help"],
    [main, "-h"]
  ] as const) {
    const { stdout, ...rest } = run(program, [flag])
    expect(rest).toEqual({ status: 0, stderr: "" })
    expect(stdout).toMatch(/^Usage: todo-http /)
    for (const name of Object.keys(settings)) expect(stdout).toContain(`  ${name}\n`)
  }
})

it("todo-http --version prints the version, and starts nothing", () => {
  for (const flag of ["--version", "-v"]) {
    expect(run(entry, [flag])).toEqual({ status: 0, stderr: "", stdout: `${pkg.version}\n` })
  }
})

it("todo-http names an unknown argument, and starts nothing", () => {
  for (const args of [["start"], ["--port", "80"], ["--help", "--prot"], [""]]) {
    const unknown = args.findLast((arg) => arg !== "80")
    const stderr = `todo-http: unknown argument ${JSON.stringify(unknown)}; see "todo-http --help"\n`
    expect(run(entry, args)).toEqual({ status: 2, stderr, stdout: "" })
  }
})

it.each(["20.20.2", "22.18.0", "18.0.0"])("both programs say in one line that Node %s is too old", (version) => {
  const pretends = `Object.defineProperty(process.versions, "node", { value: "${version}" })`
  for (const [name, program] of [
    ["todo-http", entry],
    ["todo-admin", admin]
  ] as const) {
    const { stderr, ...rest } = run(
      program,
      ["--help"],
      `--import=data:text/javascript,${encodeURIComponent(pretends)}`
    )
    expect(rest).toEqual({ status: 1, stdout: "" })
    expect(stderr).toMatch(new RegExp(`^${name} needs Node 22.19 or newer, and this is Node ${version}: [^\n]+\n$`))
  }
})
