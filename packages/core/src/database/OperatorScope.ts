/** Transactions of operators, who connect as the owner of the tables. Code that serves apps never imports this file. */
import * as Effect from "effect/Effect"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import type { UserId } from "../domain/User.ts"
import { setOperator, setUser } from "./UserScopeSql.ts"

/** Runs statements in one transaction on behalf of one user. */
export const onBehalfOf =
  (user: UserId) =>
  <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E | SqlError, R | SqlClient.SqlClient> =>
    Effect.flatMap(SqlClient.SqlClient, (sql) =>
      sql.withTransaction(Effect.andThen(sql.unsafe(setUser, [user]).values, self))
    )

/**
 * Runs statements in a transaction that sees every row of `users`. Rows of other tables stay hidden until the transaction
 * sets the user who owns them. Only the owner of the tables can do this.
 */
export const overAllUsers = <A, E, R>(
  self: Effect.Effect<A, E, R>
): Effect.Effect<A, E | SqlError, R | SqlClient.SqlClient> =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    sql.withTransaction(Effect.andThen(sql.unsafe(setOperator).values, self))
  )
