import { spawn } from "node:child_process"
import { closeSync, constants, openSync, readSync } from "node:fs"
import { rm } from "node:fs/promises"
import { join } from "node:path"
import * as Fifo from "./NamedPipe.ts"
import { type Postmaster, lockFile } from "./Postmaster.ts"
import { environment } from "./SystemProcess.ts"

/**
 * Who uses a server: each process that does holds the writing end of one named
 * pipe. Its guard reads the pipe and stops the server at its end, that is when
 * the last of them is gone without having stopped it.
 */
const pipeOf = (folder: string, { pid }: Postmaster): string => join(folder, `users.${pid}`)

// Between the end of the pipe and the signal somebody may come, so the guard hides the
// pipe and looks again. `cat` in the background ends at once when nobody is there.
const guard = `
  exec 3<&0
  while cat <&3 >/dev/null; mv "$1" "$1.closing"; do
    cat <&3 >/dev/null &
    sleep 0.2
    if kill -0 $!; then
      mv "$1.closing" "$1"
    else
      rm -f "$1.closing"
      read -r pid <"$3" && [ "$pid" = "$2" ] && kill -INT "$2"
      exit
    fi
  done
`

/** This process's end of the pipe, to be kept while it uses the server; "Unread" where the guard is gone. */
export const enter = (folder: string, postmaster: Postmaster): number | "Unread" | "Absent" =>
  Fifo.write(pipeOf(folder, postmaster))

/** Sets a guard on a server that has none, and enters. */
export const watch = async (folder: string, postmaster: Postmaster): Promise<number> => {
  const path = pipeOf(folder, postmaster)
  await rm(path, { force: true })
  await Fifo.make(path)
  const both = Fifo.hold(path)
  try {
    // With a writer there, neither waits.
    const reading = openSync(path, constants.O_RDONLY)
    const args = ["-c", guard, "guard", path, String(postmaster.pid), lockFile(postmaster.data)]
    const child = spawn("/bin/sh", args, {
      cwd: "/",
      env: environment,
      detached: true,
      stdio: [reading, "ignore", "ignore"]
    })
    child.on("error", () => {}).unref()
    const writing = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK)
    closeSync(reading)
    return writing
  } finally {
    closeSync(both)
  }
}

/** Gives this process's end back, and tells whether it was the last one. */
export const leave = async (folder: string, postmaster: Postmaster, writing: number): Promise<boolean> => {
  const path = pipeOf(folder, postmaster)
  let reading: number
  try {
    reading = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch {
    closeSync(writing)
    return false
  }
  closeSync(writing)
  try {
    // The end of the pipe where nobody writes, EAGAIN where somebody may.
    readSync(reading, Buffer.alloc(1))
    await rm(path, { force: true })
    return true
  } catch {
    return false
  } finally {
    closeSync(reading)
  }
}
