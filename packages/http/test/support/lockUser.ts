/**
 * Test kit: a transaction that locks the row of a user, and the statements that wait for it.
 */
import { Database } from "@todo/core"
import { Effect, type Redacted } from "effect"
import { SqlClient } from "effect/sql"
import { onTestFinished } from "vitest"

/** Locks the row of the user, so that writes wait. The returned function releases it, and so does the end of the test. */
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

/** The number of statements of servers that wait for a lock. */
export const waitingForLock = (url: Redacted.Redacted): Promise<number> =>
  Effect.runPromise(
    Effect.flatMap(
      SqlClient.SqlClient,
      (sql) =>
        sql`select 1 from pg_stat_activity
        where datname = current_database() and usename = 'todo_runtime' and wait_event_type = 'Lock'`.values
    ).pipe(
      Effect.map(({ length }) => length),
      Effect.provide(Database.layer({ url, poolSize: 1 }))
    )
  )
