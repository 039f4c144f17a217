import { randomUUID } from "node:crypto"
import { closeSync } from "node:fs"
import { readdir, rename, rm, stat } from "node:fs/promises"
import { join } from "node:path"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import type * as Scope from "effect/Scope"
import { attempt, EmbeddedPostgresError } from "./EmbeddedPostgresError.ts"
import * as NamedPipe from "./NamedPipe.ts"

/**
 * Locks the folder against other processes until the scope closes. It fails with the reason `Busy` after `patience`.
 * It is our own, because Node.js has no file lock that ends with its process, and those on the registry trust time stamps.
 *
 * Each process first publishes its claim and then looks for claims of others. Of two processes at least one sees the other
 * and withdraws. A claim is a named pipe that its process holds open: the kernel closes it however the process ends, so a
 * claim of a killed process is known to be dead. Each claim has a unique name, so removing a dead one never removes a
 * living one. A lock file with a process id would not survive the reuse of process ids.
 */
export const acquireDirectoryLock = Effect.fnUntraced(function* (
  folder: string,
  patience: Duration.Input
): Effect.fn.Return<void, EmbeddedPostgresError, Scope.Scope> {
  const id = randomUUID()
  const [claim, hidden] = [join(folder, `lock.${id}`), join(folder, `wait.${id}`)]

  yield* Effect.acquireRelease(
    attempt(folder, async () => {
      await NamedPipe.make(hidden)
      return NamedPipe.hold(hidden)
    }),
    (end) =>
      Effect.promise(async () => {
        await Promise.all([claim, hidden].map((path) => rm(path, { force: true }).catch(() => {})))
        closeSync(end)
      })
  )
  yield* Effect.gen(function* () {
    for (;;) {
      if (!(yield* attempt(folder, () => claimed(folder, claim)))) {
        yield* attempt(folder, () => rename(hidden, claim))
        if (!(yield* attempt(folder, () => claimed(folder, claim)))) return
        yield* attempt(folder, () => rename(claim, hidden))
      }
      yield* Effect.sleep(yield* Random.nextIntBetween(20, 80))
    }
  }).pipe(
    Effect.timeoutOrElse({
      duration: patience,
      orElse: () => Effect.fail(new EmbeddedPostgresError({ reason: "Busy", path: folder }))
    })
  )
})

/** Whether another living process has a claim. It removes claims of dead processes. */
const claimed = async (folder: string, own: string): Promise<boolean> => {
  for (const name of await readdir(folder)) {
    const path = join(folder, name)
    if (path === own || !/^(lock|wait)\./.test(name)) continue
    if (NamedPipe.isRead(path)) {
      if (name.startsWith("lock.")) return true
    } else if (name.startsWith("lock.") || (await ageOf(path)) > 60_000) {
      // A waiting claim exists for a moment before its process opens it, so a young one is kept.
      await rm(path, { force: true })
    }
  }
  return false
}

const ageOf = async (path: string): Promise<number> => {
  const there = await stat(path).catch(() => undefined)
  return there === undefined ? 0 : Date.now() - there.ctimeMs
}
