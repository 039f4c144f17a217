import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type * as SqlClient from "effect/sql/SqlClient"
import { Unavailable, UserDisabled } from "../domain/Errors.ts"
import type { UserId } from "../domain/User.ts"
import { quotedSchema } from "../schema/SchemaName.ts"
import * as ChangesSql from "./ChangesSql.ts"
import * as UserScope from "../database/UserScope.ts"

/** The interval between two polls. */
const pollInterval = "250 millis"

/** In milliseconds: after this time without a successful poll, waiting streams fail with `Unavailable`. */
const failAfter = 10_000

/** Without a timeout, a query on a silent network would never end, and polling would stop. */
const withTimeout = Effect.timeoutOrElse({
  duration: "5 seconds",
  orElse: () => Effect.fail(new Unavailable({ outcome: "not-applied" }))
})

type Result = Effect.Effect<void, Unavailable | UserDisabled>
type Resume = (result: Result) => void

interface WatchedUser {
  /** The last known revision. */
  revision: number
  watchers: number
  /** The waiting streams, each with the revision that it has seen. */
  readonly waiting: Map<Resume, number>
}

/**
 * Wakes the live streams of this process when the revisions of their users change. One query polls for all watched users;
 * without streams there is no query. `LISTEN` would need a session of its own, which a transaction pooler does not
 * provide. `NOTIFY` takes a lock that all writers of the database share when they commit.
 */
export class RevisionWatch extends Context.Service<
  RevisionWatch,
  {
    /**
     * Watches a user until the scope closes. `waitForChange` waits until the user's revision differs from `seen`. After a
     * restore of the database to an earlier state it can be smaller.
     */
    readonly watch: (
      user: UserId
    ) => Effect.Effect<
      { readonly waitForChange: (seen: number) => Effect.Effect<void, Unavailable | UserDisabled> },
      never,
      Scope.Scope
    >
  }
>()("@todo/core/RevisionWatch") {
  static readonly layer: Layer.Layer<RevisionWatch, never, SqlClient.SqlClient> = Layer.effect(
    RevisionWatch,
    Effect.gen(function* () {
      const { readEach } = yield* UserScope.make
      const selectChanged = readEach(ChangesSql.changedUser(yield* quotedSchema))
      const watched = new Map<UserId, WatchedUser>()
      let lastSuccess = yield* Clock.currentTimeMillis

      const poll = Effect.gen(function* () {
        if (watched.size === 0) {
          lastSuccess = yield* Clock.currentTimeMillis
          return
        }
        const known = [...watched.values()].map(({ revision }) => revision)
        const changed = yield* withTimeout(selectChanged([...watched.keys()], known))
        for (const [user, revision, isDisabled] of changed) {
          const entry = watched.get(user)
          if (entry === undefined) continue
          if (isDisabled) resumeAll(entry, Effect.fail(new UserDisabled({})))
          setRevision(entry, Number(revision))
        }
        lastSuccess = yield* Clock.currentTimeMillis
      }).pipe(
        // The next poll finds what a failed poll has missed, so a short outage is not an error.
        Effect.catchTag("Unavailable", (error) =>
          Effect.map(Clock.currentTimeMillis, (now) => {
            if (now - lastSuccess < failAfter) return
            for (const entry of watched.values()) resumeAll(entry, Effect.fail(error))
          })
        ),
        Effect.ignoreCause({ log: "Warn", message: "polling for changes failed" })
      )
      yield* poll.pipe(Effect.andThen(Effect.sleep(pollInterval)), Effect.forever, Effect.forkScoped)

      return RevisionWatch.of({
        watch: Effect.fnUntraced(function* (user) {
          const entry = yield* Effect.acquireRelease(
            Effect.sync(() => {
              const entry: WatchedUser = watched.get(user) ?? { revision: -1, watchers: 0, waiting: new Map() }
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
          // The check and the registration are one synchronous step, so no poll can come in between.
          const waitForChange = (seen: number) =>
            Effect.callback<void, Unavailable | UserDisabled>((resume) => {
              if (entry.revision > seen) return resume(Effect.void)
              setRevision(entry, seen)
              const resumeOnce: Resume = (result) => {
                entry.waiting.delete(resumeOnce)
                resume(result)
              }
              entry.waiting.set(resumeOnce, seen)
              return Effect.sync(() => entry.waiting.delete(resumeOnce))
            })
          return { waitForChange }
        })
      })
    })
  )
}

/** Records the user's revision, and resumes the streams that have seen another one. */
const setRevision = (entry: WatchedUser, revision: number): void => {
  entry.revision = revision
  for (const [resume, seen] of entry.waiting) {
    if (seen !== revision) resume(Effect.void)
  }
}

const resumeAll = ({ waiting }: WatchedUser, result: Result): void => {
  for (const resume of waiting.keys()) resume(result)
}
