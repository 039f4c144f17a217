/** Runs programs of the operating system, and reads the command line of a running process. */
import { spawn, type SpawnOptions } from "node:child_process"
import { readFile } from "node:fs/promises"

/** A fixed environment, so that the caller's locale and PG* variables have no effect. */
export const environment = { LC_ALL: "C", PATH: "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin" }

/** Runs a program to its end. `output` has stdout and stderr; `status` is -1 if the program could not be started. */
export const run = (
  command: string,
  args: ReadonlyArray<string>,
  options: Pick<SpawnOptions, "uid" | "gid"> & { readonly input?: string } = {}
): Promise<{ readonly status: number; readonly output: string }> =>
  new Promise((done) => {
    const { input = "", ...spawning } = options
    let output = ""
    // Its own session: Ctrl-C only interrupts the caller, which then decides.
    const child = spawn(command, args, { ...spawning, cwd: "/", detached: true, env: environment })
    child.stdout?.setEncoding("utf8").on("data", (chunk) => (output += chunk))
    child.stderr?.setEncoding("utf8").on("data", (chunk) => (output += chunk))
    child.once("error", (error) => child.pid === undefined && done({ status: -1, output: error.message }))
    child.once("close", (status) => done({ status: status ?? -1, output }))
    // A program may end before it has read its input. The status says why.
    child.stdin?.on("error", () => {}).end(input)
  })

/** The command line of a process; empty if the process does not exist or is a zombie. */
export const commandOf = async (pid: number): Promise<string> => {
  // Slim containers have no `ps`, and macOS has no `/proc`.
  if (process.platform === "linux") return readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")
  const { status, output } = await run("ps", ["-o", "command=", "-p", String(pid)])
  return status === 0 ? output : ""
}
