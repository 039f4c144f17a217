import { spawn } from "node:child_process"
import { once } from "node:events"
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises"
import { connect, createServer, type AddressInfo } from "node:net"
import { tmpdir, userInfo } from "node:os"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"

const freePort = async () => {
  const server = createServer().listen(0, "127.0.0.1")
  await once(server, "listening")
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, "close")
  return port
}

const answers = async (port: number) => {
  const socket = connect(port, "127.0.0.1")
  const answered = await Promise.race([
    once(socket, "connect").then(() => true),
    once(socket, "error").then(() => false)
  ]).catch(() => false)
  socket.destroy()
  return answered
}

/** Starts a pooler in front of a database until the scope ends, and returns the URL through it. */
export const startPgBouncer = (database: Redacted.Redacted, mode: "session" | "transaction", ignored: string) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.promise(async () => {
        const url = new URL(Redacted.value(database))
        const name = url.pathname.slice(1)
        const port = await freePort()
        const folder = await mkdtemp(join(tmpdir(), "pgbouncer-"))
        await chmod(folder, 0o755)
        const file = join(folder, "pgbouncer.ini")
        const settings = [
          "[databases]",
          `${name} = host=${url.hostname} port=${url.port} dbname=${name} user=${url.username}`,
          "[pgbouncer]",
          "listen_addr = 127.0.0.1",
          `listen_port = ${port}`,
          "unix_socket_dir =",
          "auth_type = any",
          `pool_mode = ${mode}`,
          "default_pool_size = 5",
          `ignore_startup_parameters = ${ignored === "" ? "extra_float_digits" : `extra_float_digits,${ignored}`}`
        ]
        await writeFile(file, `${settings.join("\n")}\n`, { mode: 0o644 })
        // PgBouncer refuses to run as root.
        const user = userInfo().uid === 0 ? ["-u", "nobody"] : []
        const child = spawn("pgbouncer", [...user, file], { stdio: ["ignore", "ignore", "pipe"] })
        let log = ""
        child.stderr.setEncoding("utf8").on("data", (text: string) => (log += text))
        while (!(await answers(port))) {
          if (child.exitCode !== null) throw new Error(`pgbouncer ended: ${log}`)
        }
        url.port = String(port)
        return { child, folder, url: url.href }
      }),
      ({ child, folder }) =>
        Effect.promise(async () => {
          const ended = once(child, "exit")
          child.kill("SIGTERM")
          child.kill("SIGTERM")
          await ended
          await rm(folder, { recursive: true })
        })
    ),
    ({ url }) => url
  )
