/**
 * Test kit: the server as a process, like `npm start`, with only the environment that a test gives it.
 */
import { execFile, spawn } from "node:child_process"
import { once } from "node:events"
import { chmod, mkdtemp, rm } from "node:fs/promises"
import { connect, createServer, type Server, type Socket } from "node:net"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { TestDatabase } from "@todo/core/testing"
import { Effect, ManagedRuntime, Redacted } from "effect"
import { afterAll, beforeAll, expect, inject, onTestFinished, vi } from "vitest"
import { freePort } from "../../../../.config/freePort.ts"
import { audience, issuer, request, secret } from "./testServer.ts"

/** The bundled server. `.config/server.ts` makes it before the tests. */
export const main = inject("todoHttp")

/** The compile cache of Node, shared by the processes of the tests. */
export const cache = resolve(import.meta.dirname, "../../../../node_modules/.cache/node")

/** A directory for the test that the user of the embedded database can read too. */
export const temporaryDirectory = async (): Promise<string> => {
  const directory = await mkdtemp(join(tmpdir(), "todo-process-"))
  await chmod(directory, 0o755)
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  return directory
}

/** Settings for tokens of the test kit and a free port. */
export const settings = {
  PORT: "0",
  TODO_JWT_SECRET: secret,
  TODO_JWT_ISSUER: issuer,
  TODO_JWT_AUDIENCE: audience,
  // The URL of the pooler, if `TEST_POOLER` is set.
  ...(process.env["TEST_POOLER"] !== undefined && { TODO_DATABASE_PREPARE: "false" })
}

export interface Program {
  readonly pid: number
  readonly stdout: () => string
  readonly stderr: () => string
  readonly kill: (signal: NodeJS.Signals) => void
  /** The exit code, or the signal that ended the process. */
  readonly ended: Promise<number | NodeJS.Signals | null>
  /** The address, once it listens. */
  readonly address: () => Promise<string>
}

/** Starts a script that logs its address. The caller must end it. */
export const launch = (script: string, environment: Record<string, string>, cwd = tmpdir()): Program =>
  launchCommand([process.execPath, script], environment, cwd)

/** Starts a command that logs its address, in its own process group. The caller must end it. */
export const launchCommand = (
  [command = "", ...args]: ReadonlyArray<string>,
  environment: Record<string, string>,
  cwd: string
): Program => {
  const child = spawn(command, args, {
    cwd,
    detached: true,
    env: { PATH: process.env["PATH"], HOME: process.env["HOME"], NODE_COMPILE_CACHE: cache, ...environment },
    stdio: ["ignore", "pipe", "pipe"]
  })
  const said = { stdout: "", stderr: "" }
  child.stdout.setEncoding("utf8").on("data", (text) => (said.stdout += text))
  child.stderr.setEncoding("utf8").on("data", (text) => (said.stderr += text))
  const ended = once(child, "close").then(() => child.exitCode ?? child.signalCode)
  return {
    pid: child.pid ?? 0,
    stdout: () => said.stdout,
    stderr: () => said.stderr,
    kill: (signal) => void child.kill(signal),
    ended,
    address: async () => {
      const listens = () => /listen(?:s|ing) on (http:[\w.:/[\]]+\d)/i.exec(said.stdout)?.[1] ?? ""
      await Promise.race([
        vi.waitFor(() => expect(listens()).not.toBe(""), { timeout: 60_000, interval: 20 }),
        ended.then((code) => Promise.reject(new Error(`it ended with ${code}: ${said.stderr}`)))
      ])
      return listens()
    }
  }
}

/** Starts the server. It is killed with the test at the latest. */
export const start = (environment: Record<string, string>, cwd = tmpdir()): Program => {
  const program = launch(main, environment, cwd)
  onTestFinished(async () => {
    program.kill("SIGKILL")
    await program.ended
  })
  return program
}

/** Starts the server and waits for its end, for starts that are refused. */
export const run = (environment: Record<string, string>) =>
  new Promise<{ readonly ended: unknown; readonly stdout: string; readonly stderr: string }>((resolve) => {
    const env = { PATH: process.env["PATH"], HOME: process.env["HOME"], NODE_COMPILE_CACHE: cache, ...environment }
    execFile(process.execPath, [main], { cwd: tmpdir(), env, timeout: 60_000 }, (error, stdout, stderr) =>
      resolve({ ended: error === null ? 0 : (error.signal ?? error.code), stdout, stderr })
    )
  })

/** Makes a database for the tests of a file. Call it at the top of the file. */
export const useDatabase = (layer = TestDatabase.layer) => {
  const runtime = ManagedRuntime.make(layer)
  const urls = {
    DATABASE_URL: "",
    /** The same without time limits: a statement waits for a lock until the lock is released. */
    unlimited: "",
    prepare: true,
    TODO_MIGRATE_URL: "",
    admin: Redacted.make("")
  }
  beforeAll(() =>
    runtime.runPromise(
      Effect.map(TestDatabase, ({ adminUrl, ownerUrl, prepare, url }) => {
        urls.DATABASE_URL = Redacted.value(url)
        // A server that does not prepare statements sets no limits, and poolers refuse `options`.
        urls.unlimited = prepare
          ? `${urls.DATABASE_URL}?options=-c%20lock_timeout%3D0%20-c%20statement_timeout%3D0`
          : urls.DATABASE_URL
        urls.prepare = prepare
        urls.TODO_MIGRATE_URL = Redacted.value(ownerUrl)
        urls.admin = adminUrl
      })
    )
  )
  afterAll(() => runtime.dispose())
  return urls
}

/** Waits until the path is answered with the status. */
export const answers = async (address: string, path: string, status: number): Promise<void> => {
  await expect
    .poll(async () => (await request(address + path, "GET")).status, { timeout: 15_000, interval: 20 })
    .toBe(status)
}

export const portOf = (server: Server): number => {
  const address = server.address()
  if (address === null || typeof address === "string") throw new Error("not listening on a port")
  return address.port
}

/** A TCP proxy to a database that can be closed, opened, or silenced, like an unreachable host or network. */
export const gate = async (database: string) => {
  const upstream = new URL(database)
  const port = await freePort()
  const sockets = new Set<Socket>()
  let server: Server | undefined
  let silent = false
  const close = async () => {
    for (const socket of sockets) socket.destroy()
    const closing = server
    server = undefined
    if (closing !== undefined) await new Promise((done) => closing.close(done))
  }
  onTestFinished(close)
  const through = new URL(database)
  through.port = String(port)
  return {
    url: through.href,
    close,
    /** Accepts connections and bytes, and forwards none. */
    stall: () => {
      silent = true
      for (const socket of sockets) socket.pause()
    },
    /** Forwards the held bytes and all later ones. */
    resume: () => {
      silent = false
      for (const socket of sockets) socket.resume()
    },
    open: async () => {
      server = createServer((near) => {
        const far = connect(Number(upstream.port), upstream.hostname)
        for (const socket of [near, far]) {
          sockets.add(socket)
          socket.on("error", () => {}).once("close", () => sockets.delete(socket))
        }
        near.pipe(far).pipe(near)
        if (silent) for (const socket of [near, far]) socket.pause()
      }).listen(port, "127.0.0.1")
      await once(server, "listening")
    }
  }
}
