/**
 * Who there is, and letting them in or not. Run as the owner of the tables.
 */
import * as Effect from "effect/Effect"
import * as SqlClient from "effect/sql/SqlClient"
import type { Account } from "../../domain/Account.ts"
import type { InvalidCursor, InvalidInput, Unavailable } from "../../domain/Errors.ts"
import type { Page } from "../../domain/Page.ts"
import type { Timestamp } from "../../domain/Time.ts"
import type { UserId } from "../../domain/User.ts"
import * as Pages from "../../database/KeysetPage.ts"
import { toUnavailable } from "../../database/SqlErrors.ts"
import { onBehalfOf, overAllUsers } from "../../database/OperatorScope.ts"
import { validate } from "../../domain/validate.ts"
import { SchemaName } from "../../schema/SchemaName.ts"
import { erasedTables } from "../../schema/tables.ts"
import * as TableOwner from "../TableOwner.ts"
import { UserNotFound } from "./UserNotFound.ts"
import { UserQuery } from "./UserQuery.ts"
import * as UsersSql from "./UsersSql.ts"

/** A user's account, and what only operators see of it. */
export interface User extends Account {
  /** When the user appeared, as a rule by a first write. */
  readonly createdAt: Timestamp
  /** When the user last changed anything. */
  readonly updatedAt: Timestamp
  /** Since when the user is locked out; `null` where that is not so. */
  readonly disabledAt: Timestamp | null
}

/** All that is known of one user. */
export interface UserDetails extends User {
  /** The revision up to which purged rows are forgotten: change cursors below it have expired. */
  readonly horizon: number
  /** How many bytes the rows have, as they are stored, without indexes. */
  readonly bytes: { readonly todos: number; readonly lists: number; readonly words: number; readonly keys: number }
}

const valid = validate(UserQuery)

/** A page of the users. */
export const list = (query: UserQuery): Effect.Effect<Page<User>, ListError, SqlClient.SqlClient> =>
  Effect.flatMap(valid(query), page)

/** Every user that meets the conditions, in one statement: whatever their order, all are read once. */
export const listAll = (query: Omit<UserQuery, "limit">): Effect.Effect<Page<User>, ListError, SqlClient.SqlClient> =>
  Effect.flatMap(valid(query), (query) => page({ ...query, limit: Number.POSITIVE_INFINITY }))

/** How reading users can fail. */
export type ListError = InvalidInput | InvalidCursor | TableOwner.NotTheOwner | Unavailable

/** One user. */
export const show = (
  id: UserId
): Effect.Effect<UserDetails, UserNotFound | TableOwner.NotTheOwner | Unavailable, SqlClient.SqlClient> =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    yield* TableOwner.required
    const [row] = yield* overAllUsers(sql.unsafe(UsersSql.show(`"${yield* SchemaName}"`), [id]).values)
    if (row === undefined) return yield* new UserNotFound({})
    const [user, ...numbers] = row
    const [horizon = 0, ...sizes] = numbers.map(Number)
    const bytes = (table: string) => sizes[erasedTables.indexOf(table)] ?? 0
    return {
      ...(JSON.parse(String(user)) as User),
      horizon,
      bytes: {
        todos: bytes("todos"),
        lists: bytes("lists"),
        words: bytes("todo_words"),
        keys: bytes("idempotency_keys")
      }
    }
  }).pipe(toUnavailable)

/**
 * Locks a user out: writes fail at once, reads and open streams within seconds, and nothing is removed. Also one who
 * has never written anything, who appears by it. `changed` says whether the user was not disabled already.
 */
export const disable = Effect.fnUntraced(function* (id: UserId) {
  yield* TableOwner.required
  const sql = yield* SqlClient.SqlClient
  const users = sql.literal(`"${yield* SchemaName}".users`)
  const done = yield* onBehalfOf(id)(
    Effect.gen(function* () {
      const appeared = yield* sql`insert into ${users} (id) values (${id}) on conflict (id) do nothing returning 1`
      const changed = yield* sql`
        update ${users} set disabled_at = now() where id = ${id} and disabled_at is null returning 1`
      return { appeared: appeared.length > 0, changed: changed.length > 0 }
    })
  )
  return { ...(yield* show(id)), ...done }
}, toUnavailable)

/** Lets a user in again. `changed` says whether the user was disabled. */
export const enable = Effect.fnUntraced(function* (id: UserId) {
  yield* TableOwner.required
  const sql = yield* SqlClient.SqlClient
  const users = sql.literal(`"${yield* SchemaName}".users`)
  const changed = yield* onBehalfOf(id)(
    sql`update ${users} set disabled_at = null where id = ${id} and disabled_at is not null returning 1`
  )
  return { ...(yield* show(id)), changed: changed.length > 0 }
}, toUnavailable)

/** What was erased with a user. */
export interface Erased {
  /** Who it was. */
  readonly id: UserId
  /** How many todos, the trash included. */
  readonly todos: number
  /** How many lists, the trash included. */
  readonly lists: number
}

/**
 * Removes a user and all that the user has, for good: afterwards the id is in no table. A token of that user is still
 * good, and begins as a new user does, but for the revision (`erasures` in `schema/current.sql`).
 *
 * The user is disabled first, so that clients hear of it rather than wait. What follows is one transaction: nobody ever
 * sees half a user. Stopped on the way, it leaves the user disabled and whole, and can be run again.
 */
export const erase = (
  id: UserId
): Effect.Effect<Erased, UserNotFound | TableOwner.NotTheOwner | Unavailable, SqlClient.SqlClient> =>
  Effect.gen(function* () {
    yield* TableOwner.required
    const sql = yield* SqlClient.SqlClient
    const schema = `"${yield* SchemaName}"`
    const users = sql.literal(`${schema}.users`)
    yield* onBehalfOf(id)(sql`update ${users} set disabled_at = coalesce(disabled_at, now()) where id = ${id}`)
    return yield* onBehalfOf(id)(
      Effect.gen(function* () {
        // As every write does: what waits for it finds the user gone, and begins a new one.
        const [user] = yield* sql`select revision from ${users} where id = ${id} for update`.values
        if (user === undefined) return yield* new UserNotFound({})
        const counts: Record<string, number> = {}
        for (const table of erasedTables) {
          const [row] = yield* sql`with gone as (
            delete from ${sql.literal(`${schema}.${table}`)} where owner_id = ${id} returning 1
          ) select count(*)::int from gone`.values
          counts[table] = Number(row?.[0])
        }
        yield* sql`update ${sql.literal(`${schema}.erasures`)} set revision = greatest(revision, ${user[0]} + 1)`
        yield* sql`delete from ${users} where id = ${id}`
        return { id, todos: counts["todos"] ?? 0, lists: counts["lists"] ?? 0 }
      })
    )
  }).pipe(toUnavailable)

const page = Effect.fnUntraced(function* (query: UserQuery) {
  const sql = yield* SqlClient.SqlClient
  const schema = `"${yield* SchemaName}"`
  yield* toUnavailable(TableOwner.required)
  return yield* Pages.readWith<User, UserQuery, SqlClient.SqlClient>(
    null,
    "users",
    query,
    {
      rows: (limit, after) => UsersSql.list(schema, query, limit, after),
      item: Pages.parseItem,
      total: (count) => count(UsersSql.count(schema, query))
    },
    ({ parameters, text }) => toUnavailable(overAllUsers(sql.unsafe(text, parameters).values))
  )
})
