import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as SqlClient from "effect/sql/SqlClient"
import type { Account } from "../domain/Account.ts"
import type { Unavailable } from "../domain/Errors.ts"
import { CurrentUser } from "../domain/User.ts"
import * as AccountsSql from "./AccountsSql.ts"
import * as UserScope from "../database/UserScope.ts"
import { quotedSchema } from "../schema/SchemaName.ts"

/**
 * The account of the current user: the revision, the counts, and whether the user is disabled.
 *
 * @example
 * const { counts } = yield* (yield* Accounts).me
 */
export class Accounts extends Context.Service<
  Accounts,
  {
    /**
     * Reads the user's id, revision and counts in one statement. All numbers are 0 for a user who has never written. The
     * statement reads all todos of the user, so its cost grows with their number.
     */
    readonly me: Effect.Effect<Account, Unavailable, CurrentUser>

    /** Whether an operator has disabled the user. Writes check this themselves; a host checks it before reads. */
    readonly isDisabled: Effect.Effect<boolean, Unavailable, CurrentUser>
  }
>()("@todo/core/Accounts") {
  /** Uses the host's `SqlClient`, as `Todos.layer` does. */
  static readonly layer: Layer.Layer<Accounts, never, SqlClient.SqlClient> = Layer.effect(
    Accounts,
    Effect.gen(function* () {
      const { read, readPriority } = yield* UserScope.make
      const schema = yield* quotedSchema
      const select = read(AccountsSql.me(schema))
      const selectDisabled = readPriority(AccountsSql.disabled(schema))
      return Accounts.of({
        me: Effect.gen(function* () {
          const { id } = yield* CurrentUser
          const [row] = yield* select()
          const [revision, open, completed, trashed, lists] = row ?? ["0", 0, 0, 0, 0]
          return {
            id,
            revision: Number(revision),
            counts: { open, completed, trashed, lists }
          }
        }),
        isDisabled: Effect.suspend(() => Effect.map(selectDisabled(), (rows) => rows.length > 0))
      })
    })
  )
}
