/**
 * Test kit: somebody else's transaction on a user.
 */
import { Database } from "@todo/core"
import { Effect, type Redacted } from "effect"
import { SqlClient } from "effect/sql"
import { onTestFinished } from "vitest"

/** Holds the user's row, so that its writes wait, until it is let go by what comes back, or the test ends. */
export const lockUser = async (url: Redacted.Redacted, user: string): Promise<() => Promise<void>> => {
  const held = Promise.withResolvers<void>()
  const go = Promise.withResolvers<void>()
  const holding = Effect.runPromise(
    Effect.flatMap(SqlClient.SqlClient, (sql) =>
      sql`select 1 from todo.users where id = ${user} for update`.pipe(
        Effect.andThen(Effect.sync(held.resolve)),
        Effect.andThen(Effect.promise(() => go.promise)),
        sql.withTransaction
      )
    ).pipe(Effect.provide(Database.layer({ url, poolSize: 1 })))
  )
  const release = async () => {
    go.resolve()
    await holding
  }
  onTestFinished(release)
  await Promise.race([held.promise, holding])
  return release
}
