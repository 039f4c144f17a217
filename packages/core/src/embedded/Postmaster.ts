import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { EmbeddedPostgresError } from "./EmbeddedPostgresError.ts"
import { answers } from "./freePort.ts"
import { commandOf } from "./SystemProcess.ts"

/** A server's process, and the database directory that it was started on. */
export interface Postmaster {
  readonly pid: number
  readonly data: string
}

/**
 * What is on a database directory. "Changing" is a server that starts or stops,
 * "Stale" a lock file whose server is gone.
 */
export type Observed =
  | { readonly state: "Stopped" | "Stale" }
  | { readonly state: "Changing"; readonly postmaster: Postmaster }
  | { readonly state: "Running"; readonly postmaster: Postmaster; readonly port: number }

export const lockFile = (data: string): string => join(data, "postmaster.pid")

/** What `postmaster.pid` says (line 1 process, 2 directory, 4 port, 8 state), where it is true. */
export const observe = async (data: string): Promise<Observed> => {
  const path = lockFile(data)
  let text = ""
  // A server that has just begun may not have written it yet.
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

/** Lines 1 and 2; without a server (`--single`) the process has a minus. */
const begun = /^-?\d+\n.+\n/

/** The system may have given the id of a server that is gone to another program, so the program has to be that server. */
export const isAlive = async ({ pid, data }: Postmaster): Promise<boolean> => {
  const command = await commandOf(pid)
  return command.includes("postgres") && command.includes(data)
}

/** Stops it with all its connections; after ten seconds the hard way, which its next start repairs. */
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
