import { closeSync, constants, openSync } from "node:fs"
import { EmbeddedPostgresError } from "./EmbeddedPostgresError.ts"
import { run } from "./SystemProcess.ts"

/**
 * Named pipes that tell who is still alive. The kernel closes what a process
 * held open however it ends, and knows nothing of reused process ids.
 */
export const make = async (path: string): Promise<void> => {
  const { status, output } = await run("mkfifo", ["-m", "600", path])
  if (status !== 0) throw EmbeddedPostgresError.from(path, output)
}

/** Holds both ends, which never waits. */
export const hold = (path: string): number => openSync(path, constants.O_RDWR | constants.O_NONBLOCK)

/**
 * Opens the writing end: "Unread" where no process has the reading one, "Absent"
 * where there is no pipe.
 */
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

export const isRead = (path: string): boolean => {
  const end = write(path)
  if (typeof end !== "number") return false
  closeSync(end)
  return true
}
