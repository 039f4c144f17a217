import { spawn, type SpawnOptions } from "node:child_process"
import { readFile } from "node:fs/promises"

/** Nothing of the caller's, so that neither its locale nor its PG* variables decide. */
export const environment = { LC_ALL: "C", PATH: "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin" }

/** Runs a program to its end. `output` has both streams; a program that cannot be run has the status -1. */
export const run = (
  command: string,
  args: ReadonlyArray<string>,
  options: Pick<SpawnOptions, "uid" | "gid"> & { readonly input?: string } = {}
): Promise<{ readonly status: number; readonly output: string }> =>
  new Promise((done) => {
    const { input = "", ...spawning } = options
    let output = ""
    // A session of its own: what the terminal interrupts is the caller, who then decides.
    const child = spawn(command, args, { ...spawning, cwd: "/", detached: true, env: environment })
    child.stdout?.setEncoding("utf8").on("data", (chunk) => (output += chunk))
    child.stderr?.setEncoding("utf8").on("data", (chunk) => (output += chunk))
    child.once("error", (error) => child.pid === undefined && done({ status: -1, output: error.message }))
    child.once("close", (status) => done({ status: status ?? -1, output }))
    // A program that ends before it has read everything says why in its status.
    child.stdin?.on("error", () => {}).end(input)
  })

/** The command line of a process; empty when there is none, or only its unreaped remains. */
export const commandOf = async (pid: number): Promise<string> => {
  // Slim containers have no `ps`, macOS has no `/proc`.
  if (process.platform === "linux") return readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")
  const { status, output } = await run("ps", ["-o", "command=", "-p", String(pid)])
  return status === 0 ? output : ""
}
