import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { EmbeddedPostgresError } from "./EmbeddedPostgresError.ts"
import { answers } from "./freePort.ts"
import { commandOf } from "./SystemProcess.ts"

/**
 * The main process of a PostgreSQL server, and its database directory. We do without `pg_ctl`: it refuses to run as root,
 * and takes any process with the recorded id for the server.
 */
export interface Postmaster {
  readonly pid: number
  readonly data: string
}

/** The state of a database directory. "Changing": the server starts or stops. "Stale": a lock file without its server. */
export type Observed =
  | { readonly state: "Stopped" | "Stale" }
  | { readonly state: "Changing"; readonly postmaster: Postmaster }
  | { readonly state: "Running"; readonly postmaster: Postmaster; readonly port: number }

export const lockFile = (data: string): string => join(data, "postmaster.pid")

/** Reads `postmaster.pid` (line 1 process id, 2 directory, 4 port, 8 state) and checks that the process exists. */
export const observe = async (data: string): Promise<Observed> => {
  const path = lockFile(data)
  let text = ""
  // A server that has just started may not have written the file completely.
  for (let tries = 0; tries < 20 && !begun.test(text); tries++) {
    if (tries > 0) await sleep(50)
    try {
      text = await readFile(path, "utf8")
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return { state: "Stopped" }
      throw EmbeddedPostgresError.from(path, error)
    }
  }
  const lines = text.split("\n")
  const postmaster = { pid: Math.abs(Number(lines[0])), data: lines[1] ?? "" }
  if (!begun.test(text)) throw new EmbeddedPostgresError({ reason: "LockFileBroken", path })
  if (!(await isAlive(postmaster))) return { state: "Stale" }
  const port = Number(lines[3])
  return lines[7]?.trim() === "ready" && (await answers(port))
    ? { state: "Running", postmaster, port }
    : { state: "Changing", postmaster }
}

/** Lines 1 and 2. In single-user mode (`--single`) the process id is negative. */
const begun = /^-?\d+\n.+\n/

/** Whether the process runs. Its command line is compared, because another program may have got the same process id. */
export const isAlive = async ({ pid, data }: Postmaster): Promise<boolean> => {
  const command = await commandOf(pid)
  return command.includes("postgres") && command.includes(data)
}

/** Stops the server and its connections with SIGINT, and after ten seconds with SIGQUIT. The next start recovers then. */
export const stop = async (postmaster: Postmaster): Promise<void> => {
  for (const signal of ["SIGINT", "SIGQUIT"] as const) {
    const deadline = performance.now() + 10_000
    if (!(await isAlive(postmaster))) return
    try {
      process.kill(postmaster.pid, signal)
    } catch {
      return
    }
    while ((await isAlive(postmaster)) && performance.now() < deadline) await sleep(10)
  }
}
