import { closeSync, constants, openSync } from "node:fs"
import { EmbeddedPostgresError } from "./EmbeddedPostgresError.ts"
import { run } from "./SystemProcess.ts"

/**
 * Creates a named pipe. Pipes show which processes are alive: the kernel closes them however a process ends, and a reused
 * process id cannot be mistaken for the old process.
 */
export const make = async (path: string): Promise<void> => {
  const { status, output } = await run("mkfifo", ["-m", "600", path])
  if (status !== 0) throw EmbeddedPostgresError.from(path, output)
}

/** Opens both ends. This never blocks. */
export const hold = (path: string): number => openSync(path, constants.O_RDWR | constants.O_NONBLOCK)

/** Opens the writing end. "Unread": no process has the reading end open. "Absent": there is no pipe. */
export const write = (path: string): number | "Unread" | "Absent" => {
  try {
    return openSync(path, constants.O_WRONLY | constants.O_NONBLOCK)
  } catch (error) {
    if (error instanceof Error && "code" in error) {
      if (error.code === "ENXIO") return "Unread"
      if (error.code === "ENOENT") return "Absent"
    }
    throw error
  }
}

/** Whether a process has the reading end open. */
export const isRead = (path: string): boolean => {
  const end = write(path)
  if (typeof end !== "number") return false
  closeSync(end)
  return true
}
