import { randomUUID } from "node:crypto"
import { closeSync } from "node:fs"
import { readdir, rename, rm, stat } from "node:fs/promises"
import { join } from "node:path"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import type * as Scope from "effect/Scope"
import { EmbeddedPostgresError } from "./EmbeddedPostgresError.ts"
import * as Fifo from "./NamedPipe.ts"

/**
 * Lets one process at a time start, join and stop what is in the folder, until
 * the scope closes. Each shows a claim first and looks for others' afterwards,
 * so of two at least one sees the other and steps back. A claim is a pipe that
 * its process holds, so that of a killed process is known to be dead, and its
 * name is its own, so clearing it away never hits a living one.
 */
export const locked = Effect.fnUntraced(function* (
  folder: string,
  patience: Duration.Input
): Effect.fn.Return<void, EmbeddedPostgresError, Scope.Scope> {
  const id = randomUUID()
  const [claim, hidden] = [join(folder, `lock.${id}`), join(folder, `wait.${id}`)]
  const attempt = <A>(f: () => Promise<A>) =>
    Effect.tryPromise({ try: f, catch: (error) => EmbeddedPostgresError.from(folder, error) })

  yield* Effect.acquireRelease(
    attempt(async () => {
      await Fifo.make(hidden)
      return Fifo.hold(hidden)
    }),
    (end) =>
      Effect.promise(async () => {
        await Promise.all([claim, hidden].map((path) => rm(path, { force: true }).catch(() => {})))
        closeSync(end)
      })
  )
  yield* Effect.gen(function* () {
    for (;;) {
      if (!(yield* attempt(() => claimed(folder, claim)))) {
        yield* attempt(() => rename(hidden, claim))
        if (!(yield* attempt(() => claimed(folder, claim)))) return
        yield* attempt(() => rename(claim, hidden))
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

/** Whether another living process shows a claim; clears away what dead ones have left. */
const claimed = async (folder: string, own: string): Promise<boolean> => {
  for (const name of await readdir(folder)) {
    const path = join(folder, name)
    if (path === own || !/^(lock|wait)\./.test(name)) continue
    if (Fifo.isRead(path)) {
      if (name.startsWith("lock.")) return true
    } else if (name.startsWith("lock.") || (await ageOf(path)) > 60_000) {
      // A pipe that waits exists for a moment before its process holds it.
      await rm(path, { force: true })
    }
  }
  return false
}

const ageOf = async (path: string): Promise<number> => {
  const there = await stat(path).catch(() => undefined)
  return there === undefined ? 0 : Date.now() - there.ctimeMs
}
