/**
 * How PostgreSQL learns on whose behalf a statement runs: the one place that sets
 * `todo.user_id`, which the policies of row-level security compare with the owner.
 */
import * as Effect from "effect/Effect"
import * as SqlClient from "effect/sql/SqlClient"
import { type Unavailable } from "../domain/Errors.ts"
import { CurrentUser } from "../domain/User.ts"
import { toUnavailable } from "./SqlFailure.ts"

/** Runs its statement for the current user. Each row is an array of its columns. */
export type Scoped = (
  ...parameters: ReadonlyArray<unknown>
) => Effect.Effect<ReadonlyArray<ReadonlyArray<unknown>>, Unavailable, CurrentUser>

/**
 * Makes a statement that sets the user and runs `select` at once. `select` sees the
 * user as `me.id` and its own parameters from `$2` on.
 *
 * `select` depends on the row that sets the user, so the setting is there before any
 * policy is asked (`offset 0` keeps the planner from merging the two), and it is
 * gone with the statement: nobody inherits it, also behind a transaction pooler. Were
 * the order ever wrong, the answer would be empty. A CTE or a scalar subquery in its
 * place finds nothing. As fast as no row-level security at all (33.4k/s and 33.5k/s;
 * BEGIN, set_config, select, COMMIT: 9.5k/s).
 *
 * In a transaction of the host the setting would last until its end, so there it is
 * emptied by a second statement.
 */
export const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const emptied = sql.unsafe("select set_config('todo.user_id', '', true)").values

  return (select: string): Scoped => {
    const text = `select t.* from (select set_config('todo.user_id', $1, true) as id offset 0) me
cross join lateral (${select} offset 0) t`
    return Effect.fnUntraced(function* (...parameters) {
      const me = yield* CurrentUser
      const rows = yield* sql.unsafe(text, [me.id, ...parameters]).values
      if ((yield* Effect.serviceOption(sql.transactionService))._tag === "Some") yield* emptied
      return rows
    }, toUnavailable)
  }
})
