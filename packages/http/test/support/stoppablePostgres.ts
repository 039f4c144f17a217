/**
 * Test kit: a PostgreSQL that can be stopped and started again at the same address, like a restart or a failover.
 */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { readFile, stat } from "node:fs/promises"
import { join } from "node:path"
import { onTestFinished } from "vitest"
import { settings, start, temporaryDirectory } from "./program.ts"

/** Makes a migrated database that is stopped. */
export const stoppablePostgres = async () => {
  const directory = await temporaryDirectory()
  // The first start without DATABASE_URL creates the embedded database.
  const first = start({ ...settings, TODO_DATA_DIR: directory })
  await first.address()
  first.kill("SIGTERM")
  await first.ended

  const data = join(directory, "embedded-postgres", "data")
  const [command = "", ...quoted] = (await readFile(join(data, "postmaster.opts"), "utf8")).trim().split(/ (?=")/)
  const flags = quoted.map((text) => text.slice(1, -1))
  const port = flags[flags.indexOf("-p") + 1]
  const { passwords } = JSON.parse(await readFile(join(directory, "embedded-postgres.json"), "utf8"))
  const { gid, uid } = await stat(data)
  const account = process.getuid?.() === 0 ? { uid, gid } : {}
  let server: ReturnType<typeof spawn> | undefined

  /** Stops like `pg_ctl stop -m fast`: connections are closed, and committed data is kept. */
  const stop = async () => {
    const stopping = server
    server = undefined
    if (stopping === undefined) return
    const ended = once(stopping, "close")
    stopping.kill("SIGINT")
    await ended
  }
  onTestFinished(stop)
  return {
    url: `postgres://todo_runtime:${passwords.todo_runtime}@127.0.0.1:${port}/todo`,
    stop,
    /** Starts without waiting until it is ready. */
    start: async () => {
      server = spawn(command, flags, { ...account, cwd: "/", env: { LC_ALL: "C" }, stdio: "ignore" })
      await once(server, "spawn")
    }
  }
}
