/**
 * Stops the production command of the docs, `npm start`, under load: alone, with its process group, and as process 1 of a
 * container without a shell.
 */
import { spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { resolve } from "node:path"
import { describe, expect, it, onTestFinished } from "vitest"
import { acknowledgedWrites } from "../support/acknowledgedWrites.ts"
import { exchange } from "../support/load.ts"
import { answers, launchCommand, type Program, settings, start, useDatabase } from "../support/program.ts"

const repository = resolve(import.meta.dirname, "../../../..")
const entry = resolve(import.meta.dirname, "../../bin/todo-http.js")

/** A PID namespace in which the command is process 1. Its other processes end with it. */
const namespace = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]
const hasNamespaces = spawnSync(namespace[0] ?? "", [...namespace.slice(1), "true"]).status === 0

const childOf = (pid: number): number =>
  Number(readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ")[0])

const commandOf = (pid: number): string => readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim()

/** Makes the server hang while it loads, and log that. */
const neverLoads = `
  import { registerHooks } from "node:module"
  registerHooks({
    resolve(specifier, context, next) {
      if (specifier !== "#main") return next(specifier, context)
      process.stdout.write("loading")
      return { url: "data:text/javascript,setInterval(() => {}, 1e3); await new Promise(() => {})", shortCircuit: true }
    }
  })`

const toIt = ({ kill }: Program) => kill("SIGTERM")
const toItsGroup = ({ pid }: Program) => process.kill(-pid, "SIGTERM")
const toItsChild = ({ pid }: Program) => process.kill(childOf(pid), "SIGTERM")

describe.runIf(process.platform === "linux")("The production command", () => {
  const urls = useDatabase()
  const environment = () => ({
    ...settings,
    NODE_ENV: "production",
    DATABASE_URL: urls.DATABASE_URL,
    TODO_LOG_FORMAT: "json",
    TODO_DRAIN_DELAY: "500ms"
  })

  const begin = async (command: ReadonlyArray<string>) => {
    const program = launchCommand(command, environment(), repository)
    onTestFinished(async () => {
      try {
        process.kill(-program.pid, "SIGKILL")
      } catch {
        // The process has already ended.
      }
      await program.ended
    })
    return { address: await program.address(), program }
  }

  /** The log lines about the start and the shutdown. */
  const said = ({ stdout }: Program) =>
    stdout()
      .split("\n")
      .filter((line) => line.startsWith("{"))
      .map((line) => String(JSON.parse(line).message))
      .filter((message) => message !== "request")

  it.each<[string, ReadonlyArray<string>, (program: Program) => void]>([
    ["npm start, where npm is told", ["npm", "start"], toIt],
    ["npm start, where all of its process group are told", ["npm", "start"], toItsGroup],
    ["npm start, where the server is told", ["npm", "start"], toItsChild],
    ["the entry", ["node", entry], toIt],
    ["npm start as process 1", [...namespace, "npm", "start"], toItsChild],
    ["the entry as process 1", [...namespace, "node", entry], toItsChild]
  ])(
    "the production command drains and ends on SIGTERM under load, and loses nothing: %s",
    { timeout: 120_000 },
    async (_, command, tell) => {
      if (command[0] === "unshare" && !hasNamespaces) {
        console.log("SKIPPED: this user may not make process namespaces here")
        return
      }
      const writers = await acknowledgedWrites()
      const { address, program } = await begin(command)
      await answers(address, "/readyz", 200)
      await writers.write(address, async () => {
        await expect.poll(() => writers.acknowledged, { timeout: 30_000, interval: 20 }).toBeGreaterThan(20)
        tell(program)
        expect(await program.ended).toBe(0)
      })
      // No process holds the port.
      expect((await exchange(address, { path: "/livez", agent: false })).status).toBe("ECONNREFUSED")
      expect(said(program)).toEqual([
        `started, listening on ${address}`,
        expect.stringMatching(/^shutdown begins: \/readyz answers 503, requests are still accepted for 500ms$/),
        expect.stringMatching(/^draining: no new requests are accepted, requests in flight have 10s$/),
        "ended"
      ])
      expect(program.stderr()).toBe("")

      const again = start(environment())
      await writers.settle(await again.address())
      again.kill("SIGTERM")
      expect(await again.ended).toBe(0)
    }
  )

  it("the production command has no shell between npm and the server", async () => {
    const { program } = await begin(["npm", "start"])
    expect(commandOf(childOf(program.pid))).toMatch(/^node .*todo-http\.js$/)
    toIt(program)
    expect(await program.ended).toBe(0)
  })

  it("the production command ends as process 1 on a signal that arrives before it has loaded", async ({ skip }) => {
    if (!hasNamespaces) skip("this user may not make process namespaces here")
    const NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(neverLoads)}`
    const program = launchCommand([...namespace, "node", entry], { ...environment(), NODE_OPTIONS }, repository)
    onTestFinished(() => program.kill("SIGKILL"))
    await expect.poll(() => program.stdout(), { timeout: 30_000, interval: 20 }).toContain("loading")
    toItsChild(program)
    expect(await program.ended).toBe(0)
  })
})
