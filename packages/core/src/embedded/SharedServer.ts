import { spawn } from "node:child_process"
import { once } from "node:events"
import { closeSync, existsSync } from "node:fs"
import { open, readFile, rm } from "node:fs/promises"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { type ProcessUser } from "./SystemUser.ts"
import { type Binaries } from "./Binaries.ts"
import * as Cluster from "./Cluster.ts"
import { attempt, EmbeddedPostgresError } from "./EmbeddedPostgresError.ts"
import { type DirectoryLayout } from "./DirectoryLayout.ts"
import { acquireDirectoryLock } from "./DirectoryLock.ts"
import { type Credentials } from "./Passwords.ts"
import { freePort } from "./freePort.ts"
import { type Postmaster, isAlive, lockFile, observe, stop } from "./Postmaster.ts"
import { environment } from "./SystemProcess.ts"
import * as SharedUse from "./SharedUse.ts"

/** The use of a server by this process. */
interface ServerUse {
  readonly place: string
  readonly postmaster: Postmaster
  /** The writing end of the server's pipe; `undefined` after the release. */
  end: number | undefined
}

const slow = (path: string) => ({
  duration: "5 minutes" as const,
  orElse: () => Effect.fail(new EmbeddedPostgresError({ reason: "Slow", path }))
})

/**
 * Joins the running server until the scope closes, and returns its port, or `undefined` if none runs. It waits for a server
 * that starts or stops. Call it under the lock.
 */
export const joinRunning = Effect.fnUntraced(
  function* (place: string): Effect.fn.Return<number | undefined, EmbeddedPostgresError, Scope.Scope> {
    const data = join(place, "data")
    // A watchdog hides the pipe for a moment. If the watchdog was killed, the pipe stays hidden, so stop waiting.
    for (let hidden = 0; ; hidden++) {
      const observed = yield* attempt(place, () => observe(data))
      if (observed.state === "Stopped" || observed.state === "Stale") return undefined
      if (observed.state === "Running") {
        const { port, postmaster } = observed
        const use = yield* acquireUse(place, async () => {
          const end = SharedUse.enter(place, postmaster)
          if (end === "Absent" && hidden < 100) return undefined
          return { place, postmaster, end: typeof end === "number" ? end : await SharedUse.watch(place, postmaster) }
        })
        if (use !== undefined) return port
      }
      yield* Effect.sleep("50 millis")
    }
  },
  (effect, place) => Effect.timeoutOrElse(effect, slow(place))
)

/** Starts a server until the scope closes, and returns its port. Call it under the lock, while no server runs. */
export const start = ({ user, place }: DirectoryLayout, binaries: Binaries, credentials: Credentials) => {
  const data = join(place, "data")
  return Effect.gen(function* () {
    yield* attempt(data, async () => {
      // PostgreSQL would mistake another process with the old process id for a running server.
      if ((await observe(data)).state === "Stale") await rm(lockFile(data), { force: true })
      await Cluster.repair(data, binaries, credentials, user)
    }).pipe(Effect.uninterruptible)
    const port = yield* attempt(place, freePort)
    const use = yield* acquireUse(place, () => launch(place, binaries, port, user))
    yield* waitUntilReady(use).pipe(Effect.onError(() => Effect.promise(() => release(use))))
    return port
  }).pipe(
    // Shared memory of a killed server is freed after a moment, and another process may take the port meanwhile.
    Effect.retry({
      while: (error) => error.reason === "InUse",
      schedule: Schedule.spaced("250 millis").pipe(Schedule.upTo({ duration: "20 seconds" }))
    })
  )
}

/** Acquires a use of the server, which is released under the lock when the scope closes. */
const acquireUse = <A extends ServerUse | undefined>(place: string, take: () => Promise<A>) =>
  Effect.acquireRelease(
    attempt(place, take),
    Effect.fnUntraced(function* (use) {
      if (use?.end === undefined) return
      yield* acquireDirectoryLock(place, "10 seconds").pipe(
        Effect.andThen(Effect.promise(() => release(use))),
        Effect.scoped,
        // Without the lock the watchdog stops the server. If the directory was deleted, the watchdog cannot.
        Effect.catch(() => Effect.promise(() => releaseWithoutLock(use)))
      )
    })
  )

const release = async (use: ServerUse): Promise<void> => {
  const { end, place, postmaster } = use
  use.end = undefined
  if (end !== undefined && (await SharedUse.leave(place, postmaster, end))) await stop(postmaster)
}

const releaseWithoutLock = async (use: ServerUse): Promise<void> => {
  if (use.end !== undefined) closeSync(use.end)
  use.end = undefined
  if (!existsSync(lockFile(use.postmaster.data))) await stop(use.postmaster)
}

const launch = async (place: string, { postgres }: Binaries, port: number, as: ProcessUser): Promise<ServerUse> => {
  const data = join(place, "data")
  const path = join(place, "log")
  await rm(path, { force: true })
  const log = await open(path, "w", 0o600)
  try {
    const args = ["-D", data, "-p", String(port), ...settings.flatMap((setting) => ["-c", setting])]
    const stdio = ["ignore", log.fd, log.fd] as const
    // Its own session, so that Ctrl-C in the terminal does not reach it.
    const child = spawn(postgres, args, { ...as, cwd: "/", env: environment, detached: true, stdio: [...stdio] })
    await once(child, "spawn")
    child.unref()
    const postmaster = { pid: child.pid ?? 0, data }
    try {
      return { place, postmaster, end: await SharedUse.watch(place, postmaster) }
    } catch (error) {
      await stop(postmaster)
      throw error
    }
  } finally {
    await log.close()
  }
}

const settings = [
  "listen_addresses=127.0.0.1",
  "unix_socket_directories=",
  "fsync=on",
  "full_page_writes=on",
  "synchronous_commit=on"
]

/** Waits until the server accepts connections. If the server ends before, it fails with the reason from the log. */
const waitUntilReady = ({ place, postmaster }: ServerUse) =>
  Effect.gen(function* () {
    for (;;) {
      const alive = yield* attempt(place, () => isAlive(postmaster))
      const observed = yield* attempt(place, () => observe(postmaster.data))
      if (observed.state === "Running" && observed.postmaster.pid === postmaster.pid) return
      if (!alive) {
        const log = yield* attempt(place, () => readFile(join(place, "log"), "utf8"))
        return yield* EmbeddedPostgresError.from(postmaster.data, log)
      }
      yield* Effect.sleep("10 millis")
    }
  }).pipe(Effect.timeoutOrElse(slow(postmaster.data)))
