import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type * as SqlClient from "effect/sql/SqlClient"
import type { UserId } from "../domain/User.ts"
import { SchemaName } from "../SchemaName.ts"
import * as ChangesSql from "./ChangesSql.ts"
import * as UserScope from "./UserScope.ts"

/** How long a change may stay unnoticed. */
const tick = "250 millis"

interface Watched {
  /** The last revision that was noticed. */
  revision: number
  watchers: number
  readonly waiting: Set<() => void>
}

/**
 * Tells the live streams of this process when their users' revisions go on: one query a
 * tick for all of them, none where there are none. `LISTEN` would need a session of its
 * own, which a transaction pooler does not give, and `NOTIFY` takes a lock that all
 * writers of the database share when they commit.
 */
export class Revisions extends Context.Service<
  Revisions,
  {
    /** Watches a user until the scope closes. `past` waits until there is more than the given revision. */
    readonly watch: (
      user: UserId
    ) => Effect.Effect<{ readonly past: (revision: number) => Effect.Effect<void> }, never, Scope.Scope>
  }
>()("@todo/core/Revisions") {
  static readonly layer: Layer.Layer<Revisions, never, SqlClient.SqlClient> = Layer.effect(
    Revisions,
    Effect.suspend(() => make)
  )
}

const make = Effect.gen(function* () {
  const { readEach } = yield* UserScope.make
  const selectAdvanced = readEach(ChangesSql.advanced(`"${yield* SchemaName}"`))
  const watched = new Map<UserId, Watched>()

  const look = Effect.gen(function* () {
    if (watched.size === 0) return
    const known = [...watched.values()].map(({ revision }) => revision)
    for (const [user, revision] of yield* selectAdvanced([...watched.keys()], known)) {
      const entry = watched.get(user as UserId)
      if (entry === undefined) continue
      entry.revision = Number(revision)
      for (const wake of entry.waiting) wake()
    }
  })
  // A tick that fails is made up for by the next one.
  yield* look.pipe(
    Effect.ignoreCause({ log: "Debug", message: "could not look for changes" }),
    Effect.andThen(Effect.sleep(tick)),
    Effect.forever,
    Effect.forkScoped
  )

  return Revisions.of({
    watch: Effect.fnUntraced(function* (user) {
      const entry = yield* Effect.acquireRelease(
        Effect.sync(() => {
          const entry = watched.get(user) ?? { revision: -1, watchers: 0, waiting: new Set() }
          entry.watchers++
          watched.set(user, entry)
          return entry
        }),
        (entry) =>
          Effect.sync(() => {
            entry.watchers--
            if (entry.watchers === 0) watched.delete(user)
          })
      )
      // Looks and waits in one step, so that nothing is noticed in between.
      const past = (revision: number) =>
        Effect.callback<void>((resume) => {
          if (entry.revision > revision) return resume(Effect.void)
          const wake = () => {
            if (entry.revision <= revision) return
            entry.waiting.delete(wake)
            resume(Effect.void)
          }
          entry.waiting.add(wake)
          return Effect.sync(() => entry.waiting.delete(wake))
        })
      return { past }
    })
  })
})
