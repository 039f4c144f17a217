import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type * as SqlClient from "effect/sql/SqlClient"
import { Unavailable, UserDisabled } from "../domain/Errors.ts"
import type { UserId } from "../domain/User.ts"
import { SchemaName } from "../schema/SchemaName.ts"
import * as ChangesSql from "./ChangesSql.ts"
import * as UserScope from "../database/UserScope.ts"

/** How long a change may stay unnoticed. */
const tick = "250 millis"

/** How long no tick may come through before those who wait are told, in milliseconds. */
const patience = 10_000

/** A connection that has gone silent must not keep the others from being looked after. */
const inTime = Effect.timeoutOrElse({
  duration: "5 seconds",
  orElse: () => Effect.fail(new Unavailable({ outcome: "not-applied" }))
})

type News = Effect.Effect<void, Unavailable | UserDisabled>
type Wake = (news: News) => void

interface Watched {
  /** The last revision that was noticed. */
  revision: number
  watchers: number
  /** Who waits, and beyond which revision. */
  readonly waiting: Map<Wake, number>
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
    /**
     * Watches a user until the scope closes. `beyond` waits until the user's revision is
     * another one than the given: a later one, or, in a database that was restored to an
     * earlier state, a smaller one.
     */
    readonly watch: (
      user: UserId
    ) => Effect.Effect<
      { readonly beyond: (revision: number) => Effect.Effect<void, Unavailable | UserDisabled> },
      never,
      Scope.Scope
    >
  }
>()("@todo/core/Revisions") {
  static readonly layer: Layer.Layer<Revisions, never, SqlClient.SqlClient> = Layer.effect(
    Revisions,
    Effect.suspend(() => make)
  )
}

const make = Effect.gen(function* () {
  const { readEach } = yield* UserScope.make
  const selectMoved = readEach(ChangesSql.moved(`"${yield* SchemaName}"`))
  const watched = new Map<UserId, Watched>()
  let answered = yield* Clock.currentTimeMillis

  const look = Effect.gen(function* () {
    if (watched.size === 0) {
      answered = yield* Clock.currentTimeMillis
      return
    }
    const known = [...watched.values()].map(({ revision }) => revision)
    for (const [user, revision, isDisabled] of yield* inTime(selectMoved([...watched.keys()], known))) {
      const entry = watched.get(user as UserId)
      if (entry === undefined) continue
      if (isDisabled === true) tell(entry, Effect.fail(new UserDisabled({})))
      notice(entry, Number(revision))
    }
    answered = yield* Clock.currentTimeMillis
  }).pipe(
    // A tick that fails is made up for by the next one; if none comes through, those who wait should know.
    Effect.catchTag("Unavailable", (error) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        if (now - answered < patience) return
        for (const entry of watched.values()) tell(entry, Effect.fail(error))
      })
    ),
    Effect.ignoreCause({ log: "Warn", message: "could not look for changes" })
  )
  yield* look.pipe(Effect.andThen(Effect.sleep(tick)), Effect.forever, Effect.forkScoped)

  return Revisions.of({
    watch: Effect.fnUntraced(function* (user) {
      const entry = yield* Effect.acquireRelease(
        Effect.sync(() => {
          const entry = watched.get(user) ?? { revision: -1, watchers: 0, waiting: new Map() }
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
      const beyond = (revision: number) =>
        Effect.callback<void, Unavailable | UserDisabled>((resume) => {
          if (entry.revision > revision) return resume(Effect.void)
          notice(entry, revision)
          const wake: Wake = (news) => {
            entry.waiting.delete(wake)
            resume(news)
          }
          entry.waiting.set(wake, revision)
          return Effect.sync(() => entry.waiting.delete(wake))
        })
      return { beyond }
    })
  })
})

/** Takes a revision as the user's, and wakes those who wait beyond another one. */
const notice = (entry: Watched, revision: number): void => {
  entry.revision = revision
  for (const [wake, beyond] of entry.waiting) {
    if (beyond !== revision) wake(Effect.void)
  }
}

const tell = ({ waiting }: Watched, news: News): void => {
  for (const wake of waiting.keys()) wake(news)
}
