/**
 * Keeps the totals of queries, exact all the same: a total is kept with the user's revision at which it was counted, and
 * given again only while that is the user's revision. Those who ask for the same total at once wait for one count.
 *
 * A word that each of 200,000 todos has was counted in 130 to 290 ms on a busy machine, and 16 clients at once would each wait for 16 counts. Without it,
 * each call counts by itself: set `optimisations.keptTotals` to `false`.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as SqlClient from "effect/sql/SqlClient"
import type { Unavailable } from "../domain/Errors.ts"
import type { TodoQuery } from "../domain/TodoQuery.ts"
import { CurrentUser } from "../domain/User.ts"
import { optimisations } from "../database/optimisations.ts"
import type { Select } from "../database/KeysetPage.ts"
import * as TodosSql from "./TodosSql.ts"
import type { BatchedScope } from "../database/BatchedScope.ts"
import type { UserScope } from "../database/UserScope.ts"

interface Total {
  readonly total: number
  readonly revision: number
  readonly at: number
}

/** How many totals are kept, and for how many milliseconds: a database that was restored repeats revisions. */
const most = { totals: 1_000, age: 60_000 }

export const make = Effect.fnUntraced(function* (
  scope: Pick<UserScope, "read">,
  batched: Pick<BatchedScope, "read">,
  schema: string
) {
  const { transactionService } = yield* SqlClient.SqlClient
  const kept = new Map<string, Total>()
  const counting = new Map<string, Deferred.Deferred<Total | undefined>>()
  const selectRevision = batched.read(TodosSql.revision(schema), 0)

  const revisionNow = Effect.map(selectRevision(), ([row]) => Number(row?.[0] ?? 0))

  const count = ({ parameters, text }: Select): Effect.Effect<Total, Unavailable, CurrentUser> =>
    Effect.flatMap(Clock.currentTimeMillis, (at) =>
      Effect.map(scope.read(text)(...parameters), ([row]) => ({
        total: Number(row?.[0]),
        revision: Number(row?.[1]),
        at
      }))
    )

  const keep = (key: string, total: Total): void => {
    kept.delete(key)
    kept.set(key, total)
    const [oldest] = kept.keys()
    if (kept.size > most.totals && oldest !== undefined) kept.delete(oldest)
  }

  /** Counts, and tells those who wait, also where it fails or is given up. */
  const countForAll = Effect.fnUntraced(function* (key: string, select: Select) {
    const answer = Deferred.makeUnsafe<Total | undefined>()
    counting.set(key, answer)
    let found: Total | undefined
    return yield* count(select).pipe(
      Effect.tap((total) => Effect.sync(() => keep(key, (found = total)))),
      Effect.ensuring(
        Effect.suspend(() => {
          counting.delete(key)
          return Deferred.succeed(answer, found)
        })
      )
    )
  })

  const shared = Effect.fnUntraced(function* (key: string, select: Select) {
    if (!kept.has(key) && !counting.has(key)) return yield* countForAll(key, select)
    const revision = yield* revisionNow
    for (;;) {
      const one = kept.get(key)
      if (one !== undefined && one.revision === revision && (yield* Clock.currentTimeMillis) < one.at + most.age)
        return one
      // Counted before this call saw its revision, it may be of an older one; then the next is not.
      const running = counting.get(key)
      if (running === undefined) return yield* countForAll(key, select)
      const total = yield* Deferred.await(running)
      if (total !== undefined && total.revision >= revision) return total
    }
  })

  return {
    /** The total of a query, and the select that counts it. */
    of: (query: TodoQuery, select: Select): Effect.Effect<number, Unavailable, CurrentUser> =>
      Effect.withFiber((fiber) => {
        // A transaction of the host may give numbers out that it takes back; a purge changes the trash and no revision;
        // what is overdue changes all the time.
        const isOwn =
          !optimisations.keptTotals ||
          Context.getOrUndefined(fiber.context, transactionService) !== undefined ||
          query.deleted === true ||
          query.due === "overdue"
        if (isOwn) return Effect.map(count(select), ({ total }) => total)
        const { id } = Context.getUnsafe(fiber.context, CurrentUser)
        return Effect.map(shared(JSON.stringify([id, select.text, select.parameters]), select), ({ total }) => total)
      })
  }
})
