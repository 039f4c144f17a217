import { spawn } from "node:child_process"
import { closeSync, constants, openSync, readSync } from "node:fs"
import { rm } from "node:fs/promises"
import { join } from "node:path"
import * as NamedPipe from "./NamedPipe.ts"
import { type Postmaster, lockFile } from "./Postmaster.ts"
import { environment } from "./SystemProcess.ts"

/**
 * The pipe that counts the users of a server: each process that uses the server holds the writing end. A watchdog reads the
 * pipe. At end of file, when the last process is gone without having stopped the server, the watchdog stops it.
 * PostgreSQL does not stop when its last client is gone, and its connections do not count a process that has none open.
 */
const pipeOf = (folder: string, { pid }: Postmaster): string => join(folder, `users.${pid}`)

// A process may join between the end of file and the signal. So the watchdog hides the pipe and reads once more: `cat` in
// the background ends at once if no process holds the writing end.
const watchdog = `
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

/** Opens the writing end, to be held while this process uses the server. "Unread": the watchdog is gone. */
export const enter = (folder: string, postmaster: Postmaster): number | "Unread" | "Absent" =>
  NamedPipe.write(pipeOf(folder, postmaster))

/** Starts a watchdog for a server without one, and opens the writing end. */
export const watch = async (folder: string, postmaster: Postmaster): Promise<number> => {
  const path = pipeOf(folder, postmaster)
  await rm(path, { force: true })
  await NamedPipe.make(path)
  const both = NamedPipe.hold(path)
  try {
    // `both` holds both ends, so neither of these calls blocks.
    const reading = openSync(path, constants.O_RDONLY)
    const args = ["-c", watchdog, "watchdog", path, String(postmaster.pid), lockFile(postmaster.data)]
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

/** Closes the writing end of this process. Returns whether it was the last one. */
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
    // End of file if no process holds the writing end, EAGAIN if one does.
    readSync(reading, Buffer.alloc(1))
    await rm(path, { force: true })
    return true
  } catch {
    return false
  } finally {
    closeSync(reading)
  }
}
