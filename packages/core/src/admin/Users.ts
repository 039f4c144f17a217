import * as Effect from "effect/Effect"
import * as SqlClient from "effect/sql/SqlClient"
import type { Account } from "../domain/Account.ts"
import type { InvalidCursor, InvalidInput, Unavailable } from "../domain/Errors.ts"
import type { Page } from "../domain/Page.ts"
import type { Timestamp } from "../domain/Time.ts"
import * as Pages from "../internal/Page.ts"
import { toUnavailable } from "../internal/SqlFailure.ts"
import { overAllUsers } from "../internal/UserScope.ts"
import { validated } from "../internal/Validation.ts"
import { SchemaName } from "../SchemaName.ts"
import * as Owner from "./Owner.ts"
import { UserQuery } from "./UserQuery.ts"
import * as UsersSql from "./UsersSql.ts"

/** A user's account, and what only operators see of it. */
export interface User extends Account {
  readonly createdAt: Timestamp
  /** When the user last changed anything. */
  readonly updatedAt: Timestamp
  readonly disabledAt: Timestamp | null
}

const valid = validated(UserQuery)

/** A page of the users. */
export const list = (query: UserQuery): Effect.Effect<Page<User>, ListError, SqlClient.SqlClient> =>
  Effect.flatMap(valid(query), page)

/** Every user that meets the conditions, in one statement: whatever their order, all are read once. */
export const listAll = (query: Omit<UserQuery, "limit">): Effect.Effect<Page<User>, ListError, SqlClient.SqlClient> =>
  Effect.flatMap(valid(query), (query) => page({ ...query, limit: Number.POSITIVE_INFINITY }))

/** How reading users can fail. */
export type ListError = InvalidInput | InvalidCursor | Owner.NotTheOwner | Unavailable

const page = Effect.fnUntraced(function* (query: UserQuery) {
  const sql = yield* SqlClient.SqlClient
  const schema = `"${yield* SchemaName}"`
  yield* toUnavailable(Owner.required)
  return yield* Pages.readWith<User, UserQuery, SqlClient.SqlClient>(
    null,
    "users",
    query,
    {
      rows: (limit, after) => UsersSql.list(schema, query, limit, after),
      total: () => UsersSql.count(schema, query)
    },
    ({ parameters, text }) => toUnavailable(overAllUsers(sql.unsafe(text, parameters).values))
  )
})
