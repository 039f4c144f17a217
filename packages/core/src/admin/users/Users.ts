/**
 * Lists, disables, enables and erases users. It needs the owner of the tables.
 */
import * as Effect from "effect/Effect"
import * as SqlClient from "effect/sql/SqlClient"
import type { Account } from "../../domain/Account.ts"
import type { InvalidCursor, InvalidInput, Unavailable } from "../../domain/Errors.ts"
import type { Page } from "../../domain/Page.ts"
import type { Timestamp } from "../../domain/Time.ts"
import type { UserId } from "../../domain/User.ts"
import * as KeysetPage from "../../database/KeysetPage.ts"
import { rowsOf } from "../../database/UserScope.ts"
import type { Row, SelectOf } from "../../database/UserScopeSql.ts"
import { toUnavailable } from "../../database/SqlErrors.ts"
import { onBehalfOf, overAllUsers } from "../../database/OperatorScope.ts"
import { validate } from "../../domain/validate.ts"
import { quotedSchema } from "../../schema/SchemaName.ts"
import { erasedTables } from "../../schema/tables.ts"
import * as TableOwner from "../TableOwner.ts"
import { UserNotFound } from "./UserNotFound.ts"
import { UserQuery } from "./UserQuery.ts"
import * as UsersSql from "./UsersSql.ts"

/** A user's account, with fields that only operators see. */
export interface User extends Account {
  /** The time of the first write, or of `disable` if that came first. */
  readonly createdAt: Timestamp
  /** The time of the last change by the user. */
  readonly updatedAt: Timestamp
  /** The time at which the user was disabled; `null` if the user is enabled. */
  readonly disabledAt: Timestamp | null
}

/** A user with storage details. */
export interface UserDetails extends User {
  /** The revision below which change cursors have expired, because rows were purged. */
  readonly horizon: number
  /** The stored size of the rows in bytes, without indexes. */
  readonly bytes: { readonly todos: number; readonly lists: number; readonly words: number; readonly keys: number }
}

const valid = validate(UserQuery)

/** One page of users. Fails with `InvalidInput`, `InvalidCursor`, `NotTheOwner` or `Unavailable`. */
export const list = (query: UserQuery): Effect.Effect<Page<User>, ListError, SqlClient.SqlClient> =>
  Effect.flatMap(valid(query), page)

/** All matching users, in one statement. Use it instead of many pages, which would read all users for each page. */
export const listAll = (query: Omit<UserQuery, "limit">): Effect.Effect<Page<User>, ListError, SqlClient.SqlClient> =>
  Effect.flatMap(valid(query), (query) => page({ ...query, limit: Number.POSITIVE_INFINITY }))

/** The errors of reading users. */
export type ListError = InvalidInput | InvalidCursor | TableOwner.NotTheOwner | Unavailable

/** One user with storage details. */
export const show = (
  id: UserId
): Effect.Effect<UserDetails, UserNotFound | TableOwner.NotTheOwner | Unavailable, SqlClient.SqlClient> =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    yield* TableOwner.required
    const statement = sql.unsafe<UsersSql.StoredUser>(UsersSql.show(yield* quotedSchema), [id])
    const [user] = yield* overAllUsers(statement)
    if (user === undefined) return yield* new UserNotFound({})
    const { horizon, item, ...bytes } = user
    return { ...(JSON.parse(item) as User), horizon, bytes }
  }).pipe(toUnavailable)

/**
 * Disables a user. Writes fail at once, reads and open streams within seconds. No data is removed. A user who has never
 * written anything is created as disabled (`appeared`). `changed` is false if the user was disabled before.
 */
export const disable = Effect.fnUntraced(function* (id: UserId) {
  yield* TableOwner.required
  const sql = yield* SqlClient.SqlClient
  const schema = yield* quotedSchema
  const done = yield* onBehalfOf(id)(
    Effect.gen(function* () {
      const appeared = yield* sql.unsafe(UsersSql.insert(schema), [id])
      const changed = yield* sql.unsafe(UsersSql.disable(schema), [id])
      return { appeared: appeared.length > 0, changed: changed.length > 0 }
    })
  )
  return { ...(yield* show(id)), ...done }
}, toUnavailable)

/** Enables a user again. `changed` is false if the user was not disabled. */
export const enable = Effect.fnUntraced(function* (id: UserId) {
  yield* TableOwner.required
  const sql = yield* SqlClient.SqlClient
  const changed = yield* onBehalfOf(id)(sql.unsafe(UsersSql.enable(yield* quotedSchema), [id]))
  return { ...(yield* show(id)), changed: changed.length > 0 }
}, toUnavailable)

/** The result of erasing a user. */
export interface Erased {
  /** The id of the erased user. */
  readonly id: UserId
  /** The number of removed todos, including the trash. */
  readonly todos: number
  /** The number of removed lists, including the trash. */
  readonly lists: number
}

/**
 * Removes a user and all data of the user for good. Afterwards no table has the id. A valid token of the user starts a new
 * user, whose revisions continue above all erased ones (`erasures` in `schema/current.sql`).
 *
 * The user is disabled first, so that clients get an error instead of waiting. One transaction then removes everything, so
 * nobody sees a part of it. If it is interrupted, the user stays disabled and complete, and `erase` can be repeated.
 */
export const erase = (
  id: UserId
): Effect.Effect<Erased, UserNotFound | TableOwner.NotTheOwner | Unavailable, SqlClient.SqlClient> =>
  Effect.gen(function* () {
    yield* TableOwner.required
    const sql = yield* SqlClient.SqlClient
    const schema = yield* quotedSchema
    yield* onBehalfOf(id)(sql.unsafe(UsersSql.disable(schema), [id]))
    return yield* onBehalfOf(id)(
      Effect.gen(function* () {
        // Writes lock the same row. A write that waits here creates a new user afterwards.
        const [user] = yield* sql.unsafe(UsersSql.lock(schema), [id])
        if (user === undefined) return yield* new UserNotFound({})
        const counts: Record<string, number> = {}
        for (const table of erasedTables) {
          const [deleted] = yield* sql.unsafe<UsersSql.Deleted>(UsersSql.deleteRows(schema, table), [id])
          counts[table] = deleted?.rows ?? 0
        }
        yield* sql.unsafe(UsersSql.recordErasure(schema), [id])
        yield* sql.unsafe(UsersSql.deleteUser(schema), [id])
        return { id, todos: counts["todos"] ?? 0, lists: counts["lists"] ?? 0 }
      })
    )
  }).pipe(toUnavailable)

const page = Effect.fnUntraced(function* (query: UserQuery) {
  const sql = yield* SqlClient.SqlClient
  const schema = yield* quotedSchema
  yield* toUnavailable(TableOwner.required)
  const run = <R extends Row>(text: SelectOf<R>, parameters: Row = []) =>
    toUnavailable(overAllUsers(rowsOf(sql, text, parameters)))
  return yield* KeysetPage.readWith<User, UserQuery, SqlClient.SqlClient>(
    null,
    "users",
    query,
    {
      rows: (limit, after) => UsersSql.list(schema, query, limit, after),
      item: KeysetPage.parseItem,
      total: () => Effect.map(run(UsersSql.count(schema, query)), ([row]) => row?.[0] ?? 0)
    },
    ({ parameters, text }) => run(text, parameters)
  )
})
