/** Transactions of operators, as the owner of the tables. Nothing that serves apps imports this. */
import * as Effect from "effect/Effect"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import type { UserId } from "../domain/User.ts"
import { setOperator, setUser } from "./UserScopeSql.ts"

/** A transaction on behalf of one user, of as many statements as it takes. */
export const onBehalfOf =
  (user: UserId) =>
  <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E | SqlError, R | SqlClient.SqlClient> =>
    Effect.flatMap(SqlClient.SqlClient, (sql) =>
      sql.withTransaction(Effect.andThen(sql.unsafe(setUser, [user]).values, self))
    )

/**
 * A transaction that sees the row of every user in `users`, and no row of another table until it acts for its owner.
 * Only the owner of the tables gets that far.
 */
export const overAllUsers = <A, E, R>(
  self: Effect.Effect<A, E, R>
): Effect.Effect<A, E | SqlError, R | SqlClient.SqlClient> =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    sql.withTransaction(Effect.andThen(sql.unsafe(setOperator).values, self))
  )
