/** PgBouncer in front of the PostgreSQL of the tests, if it is installed. */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync } from "node:fs"
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises"
import { connect } from "node:net"
import { tmpdir } from "node:os"
import { delimiter, join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { freePort } from "./freePort.ts"

/** The program. Debian installs it in a folder that is only in the PATH of root. */
export const pgbouncer = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin"]
  .map((directory) => join(directory, "pgbouncer"))
  .find((path) => existsSync(path))

interface PgBouncerOptions {
  readonly mode?: "session" | "transaction"
  readonly poolSize?: number
  /** Startup parameters that the pooler drops. It refuses all others that it does not know. */
  readonly ignored?: ReadonlyArray<string>
}

const listens = (port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = connect(port, "127.0.0.1", () => resolve(true))
    socket.on("connect", () => socket.destroy()).on("error", () => resolve(false))
  })

/** Starts a pooler in front of a server. Returns the address with the port of the pooler, and a function that ends it. */
export const startPgBouncer = async (
  server: string,
  { ignored = [], mode = "transaction", poolSize = 20 }: PgBouncerOptions = {}
) => {
  if (pgbouncer === undefined) throw new Error("there is no pgbouncer")
  const upstream = new URL(server)
  const port = await freePort()
  const directory = await mkdtemp(join(tmpdir(), "todo-pgbouncer-"))
  // PgBouncer refuses to run as root, and its user must be able to read its files.
  await chmod(directory, 0o755)
  const users = join(directory, "users.txt")
  const config = join(directory, "pgbouncer.ini")
  await writeFile(users, ["todo_runtime", "todo_owner", "postgres"].map((name) => `"${name}" ""\n`).join(""))
  await writeFile(
    config,
    `[databases]
* = host=${upstream.hostname} port=${upstream.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = trust
auth_file = ${users}
pool_mode = ${mode}
default_pool_size = ${poolSize}
max_client_conn = 2000
ignore_startup_parameters = ${["extra_float_digits", ...ignored].join(",")}
`
  )
  const nobody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {}
  const child = spawn(pgbouncer, ["-q", config], { ...nobody, cwd: "/", stdio: ["ignore", "ignore", "pipe"] })
  let log = ""
  child.stderr.setEncoding("utf8").on("data", (text) => (log += text))
  const ended = once(child, "close")
  for (let tries = 0; !(await listens(port)); tries++) {
    if (child.exitCode !== null || tries > 200) throw new Error(`pgbouncer does not listen: ${log}`)
    await sleep(50)
  }
  const through = new URL(server)
  through.port = String(port)
  return {
    url: through.href,
    stop: async () => {
      child.kill("SIGTERM")
      const killing = setTimeout(() => child.kill("SIGKILL"), 2_000)
      await ended
      clearTimeout(killing)
      await rm(directory, { recursive: true, force: true })
    }
  }
}
