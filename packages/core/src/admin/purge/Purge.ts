/**
 * Removes old rows from the trash for good. It needs the owner of the tables.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as SqlClient from "effect/sql/SqlClient"
import type { Unavailable } from "../../domain/Errors.ts"
import type { Timestamp } from "../../domain/Time.ts"
import type { UserId } from "../../domain/User.ts"
import { toUnavailable } from "../../database/SqlErrors.ts"
import { firstRow } from "../../database/firstRow.ts"
import { onBehalfOf, overAllUsers } from "../../database/OperatorScope.ts"
import { quotedSchema } from "../../schema/SchemaName.ts"
import * as TableOwner from "../TableOwner.ts"
import * as PurgeSql from "./PurgeSql.ts"
import { UserNotFound } from "../users/UserNotFound.ts"

/** The numbers of a purge. */
export interface Purged {
  /** Users with removed rows. */
  readonly users: number
  /** Todos removed from the trash. */
  readonly todos: number
  /** Lists removed from the trash. */
  readonly lists: number
  /** Expired idempotency keys. */
  readonly keys: number
}

/** The rows that a purge will remove. */
export interface PurgePlan extends Purged {
  /** Rows that were trashed before this time are removed. */
  readonly before: Timestamp
  /** The users with rows to remove. */
  readonly userIds: ReadonlyArray<UserId>
}

/** The options of a purge. */
export interface PurgeOptions {
  /** The minimum time in the trash, in seconds. */
  readonly olderThan: number
  /** Purge only this user. Default: all users. */
  readonly user?: UserId
}

/**
 * Finds the rows to purge and removes nothing. `run` removes exactly these rows, except those that are restored before.
 *
 * Fails with `UserNotFound`, with `NotTheOwner` and with `Unavailable`.
 */
export const plan = ({
  olderThan,
  user
}: PurgeOptions): Effect.Effect<PurgePlan, UserNotFound | TableOwner.NotTheOwner | Unavailable, SqlClient.SqlClient> =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const schema = yield* quotedSchema
    yield* TableOwner.required
    const { before } = yield* firstRow<PurgeSql.PurgeTime>(PurgeSql.purgeTime(schema), [olderThan])

    const userIds: Array<UserId> = []
    const total = { todos: 0, lists: 0, keys: 0 }
    let last: UserId | undefined
    for (;;) {
      const page = sql.unsafe<PurgeSql.Purgeable>(PurgeSql.count(schema), [before, last ?? "", user ?? null])
      const found = yield* overAllUsers(page)
      if (user !== undefined && found.length === 0 && last === undefined) return yield* new UserNotFound({})
      for (const { id, keys, lists, todos } of found) {
        if (todos + lists + keys === 0) continue
        userIds.push(id)
        total.todos += todos
        total.lists += lists
        total.keys += keys
      }
      if (found.length < PurgeSql.usersAtOnce) return { before, userIds, users: userIds.length, ...total }
      last = found.at(-1)?.id
    }
  }).pipe(toUnavailable)

const longestPause = Duration.millis(100)

/**
 * Removes the planned rows in transactions of at most 50 rows of each kind. Each holds the lock of the user's writes for
 * some milliseconds, and raises the user's horizon: change cursors that have not passed the removed rows expire. It can be
 * interrupted, repeated, and run twice at the same time.
 *
 * @param onProgress receives the number of rows that each transaction removed.
 */
export const run = (
  { before, userIds }: PurgePlan,
  onProgress: (rows: number) => Effect.Effect<void> = () => Effect.void
): Effect.Effect<Purged, Unavailable, SqlClient.SqlClient> =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const schema = yield* quotedSchema
    const purged = { users: 0, todos: 0, lists: 0, keys: 0 }

    /** Runs one transaction. `last` is the position after which the next one continues. */
    const purgeBatch = (user: UserId, position: string) =>
      onBehalfOf(user)(
        Effect.gen(function* () {
          const [locked] = yield* sql.unsafe(PurgeSql.lock(schema), [user])
          if (locked === undefined) return { todos: 0, lists: 0, keys: 0, last: "" }
          const [todos] = yield* sql.unsafe<PurgeSql.DeletedTodos>(PurgeSql.deleteTodos(schema), [
            user,
            before,
            position
          ])
          const [lists] = yield* sql.unsafe<PurgeSql.Deleted>(PurgeSql.deleteLists(schema), [user, before])
          const [keys] = yield* sql.unsafe<PurgeSql.Deleted>(PurgeSql.deleteKeys(schema), [user])
          return { todos: todos?.rows ?? 0, lists: lists?.rows ?? 0, keys: keys?.rows ?? 0, last: todos?.last ?? "" }
        })
      )

    for (const user of userIds) {
      let rows = 0
      for (let position = ""; ;) {
        const [duration, { keys, last, lists, todos }] = yield* Effect.timed(purgeBatch(user, position))
        purged.todos += todos
        purged.lists += lists
        purged.keys += keys
        rows += todos + lists + keys
        yield* onProgress(todos + lists + keys)
        if (Math.max(todos, lists, keys) < PurgeSql.rowsAtOnce) break
        if (todos > 0) position = last
        // Pause as long as the transaction took, or this loop would take the row lock again before waiting writes get it.
        yield* Effect.sleep(Duration.min(duration, longestPause))
      }
      if (rows > 0) purged.users++
    }
    return purged
  }).pipe(toUnavailable)
