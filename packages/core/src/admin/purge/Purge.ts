/**
 * Empties the trash: what goes is gone for good. Run as the owner of the tables.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as SqlClient from "effect/sql/SqlClient"
import type { Unavailable } from "../../domain/Errors.ts"
import type { Timestamp } from "../../domain/Time.ts"
import type { UserId } from "../../domain/User.ts"
import { toUnavailable } from "../../database/SqlErrors.ts"
import { onBehalfOf, overAllUsers } from "../../database/OperatorScope.ts"
import { SchemaName } from "../../schema/SchemaName.ts"
import * as TableOwner from "../TableOwner.ts"
import * as PurgeSql from "./PurgeSql.ts"
import { UserNotFound } from "../users/UserNotFound.ts"

/** What goes, or went, for good. */
export interface Purged {
  /** Of how many users something goes. */
  readonly users: number
  /** Todos out of the trash. */
  readonly todos: number
  /** Lists out of the trash. */
  readonly lists: number
  /** Idempotency keys that are good no more. */
  readonly keys: number
}

/** What a purge is going to remove. */
export interface PurgePlan extends Purged {
  /** What was trashed before goes. */
  readonly before: Timestamp
  /** The users of whom something goes. */
  readonly of: ReadonlyArray<UserId>
}

/** What to purge. */
export interface PurgeOptions {
  /** For how long something has to have been in the trash, in seconds. */
  readonly olderThan: number
  /** The only user whose trash it is; that of all, where nothing is said. */
  readonly user?: UserId
}

/** Finds what there is to purge, and removes nothing: exactly what goes, if nobody restores any of it before. */
export const plan = ({
  olderThan,
  user
}: PurgeOptions): Effect.Effect<PurgePlan, UserNotFound | TableOwner.NotTheOwner | Unavailable, SqlClient.SqlClient> =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const schema = `"${yield* SchemaName}"`
    yield* TableOwner.required
    const [row] = yield* sql.unsafe(PurgeSql.before(schema), [olderThan]).values
    const before = String(row?.[0])

    const of: Array<UserId> = []
    const total = { todos: 0, lists: 0, keys: 0 }
    let last: string | undefined
    for (let found: ReadonlyArray<ReadonlyArray<unknown>>; ;) {
      found = yield* overAllUsers(sql.unsafe(PurgeSql.count(schema), [before, last ?? "", user ?? null]).values)
      if (user !== undefined && found.length === 0 && last === undefined) return yield* new UserNotFound({})
      for (const [id, ...numbers] of found) {
        const [todos = 0, lists = 0, keys = 0] = numbers.map(Number)
        if (todos + lists + keys === 0) continue
        of.push(id as UserId)
        total.todos += todos
        total.lists += lists
        total.keys += keys
      }
      if (found.length < PurgeSql.usersAtOnce) return { before, of, users: of.length, ...total }
      last = String(found.at(-1)?.[0])
    }
  }).pipe(toUnavailable)

const longestPause = Duration.millis(100)

/**
 * Removes what was planned, some dozen rows at a time, each time in a transaction of its own that queues with the
 * user's writes for some milliseconds. It raises the user's horizon with them: change cursors that have not seen those
 * rows in the trash expire, others go on. It may be stopped at any time, run again, and run twice at once.
 * `onProgress` hears how many rows went.
 */
export const run = (
  { before, of }: PurgePlan,
  onProgress: (rows: number) => Effect.Effect<void> = () => Effect.void
): Effect.Effect<Purged, Unavailable, SqlClient.SqlClient> =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const schema = `"${yield* SchemaName}"`
    const purged = { users: 0, todos: 0, lists: 0, keys: 0 }

    /** One transaction: what went in it, and behind which position the next goes on; nothing where the user is gone. */
    const some = (user: UserId, position: string) =>
      onBehalfOf(user)(
        Effect.gen(function* () {
          const held = yield* sql.unsafe(PurgeSql.lock(schema), [user]).values
          if (held.length === 0) return { todos: 0, lists: 0, keys: 0, last: "" }
          const [todos] = yield* sql.unsafe(PurgeSql.todos(schema), [user, before, position]).values
          const [lists] = yield* sql.unsafe(PurgeSql.lists(schema), [user, before]).values
          const [keys] = yield* sql.unsafe(PurgeSql.keys(schema), [user]).values
          return {
            todos: Number(todos?.[0]),
            lists: Number(lists?.[0]),
            keys: Number(keys?.[0]),
            last: String(todos?.[1])
          }
        })
      )

    for (const user of of) {
      let rows = 0
      for (let position = ""; ;) {
        const [took, { keys, last, lists, todos }] = yield* Effect.timed(some(user, position))
        purged.todos += todos
        purged.lists += lists
        purged.keys += keys
        rows += todos + lists + keys
        yield* onProgress(todos + lists + keys)
        if (Math.max(todos, lists, keys) < PurgeSql.rowsAtOnce) break
        if (todos > 0) position = last
        // As long again for those who wait: PostgreSQL lets whoever comes back at once go before them.
        yield* Effect.sleep(Duration.min(took, longestPause))
      }
      if (rows > 0) purged.users++
    }
    return purged
  }).pipe(toUnavailable)
