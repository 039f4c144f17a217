import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as SqlClient from "effect/sql/SqlClient"
import type { Account } from "../domain/Account.ts"
import type { Unavailable } from "../domain/Errors.ts"
import { CurrentUser } from "../domain/User.ts"
import * as AccountsSql from "./AccountsSql.ts"
import * as UserScope from "../database/UserScope.ts"
import { SchemaName } from "../schema/SchemaName.ts"

/** What the current user has. */
export class Accounts extends Context.Service<
  Accounts,
  {
    /** The user's id, revision and counts, all of one moment. */
    readonly me: Effect.Effect<Account, Unavailable, CurrentUser>

    /** Whether the operator has disabled the user. Writes find out by themselves; ask before reads. */
    readonly isDisabled: Effect.Effect<boolean, Unavailable, CurrentUser>
  }
>()("@todo/core/Accounts") {
  /** Works on the host's `SqlClient`, as `Todos.layer` does. */
  static readonly layer: Layer.Layer<Accounts, never, SqlClient.SqlClient> = Layer.effect(
    Accounts,
    Effect.suspend(() => make)
  )
}

const make = Effect.gen(function* () {
  const { read, readAhead } = yield* UserScope.make
  const schema = `"${yield* SchemaName}"`
  const select = read(AccountsSql.me(schema))
  const selectDisabled = readAhead(AccountsSql.disabled(schema))
  return Accounts.of({
    me: Effect.gen(function* () {
      const { id } = yield* CurrentUser
      const [row] = yield* select()
      const [revision, open, completed, trashed, lists] = (row ?? []).map(Number)
      return {
        id,
        revision: revision ?? 0,
        counts: { open: open ?? 0, completed: completed ?? 0, trashed: trashed ?? 0, lists: lists ?? 0 }
      }
    }),
    isDisabled: Effect.suspend(() => Effect.map(selectDisabled(), (rows) => rows.length > 0))
  })
})
