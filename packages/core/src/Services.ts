/**
 * One layer with all services for a user.
 */
import * as Layer from "effect/Layer"
import type * as SqlClient from "effect/sql/SqlClient"
import { Accounts } from "./accounts/Accounts.ts"
import { Changes } from "./changes/Changes.ts"
import { Lists } from "./lists/Lists.ts"
import { Todos } from "./todos/Todos.ts"

/**
 * `Todos`, `Lists`, `Changes` and `Accounts` on the host's `SqlClient`.
 *
 * @example
 * const services = Services.layer.pipe(Layer.provide(Database.layer({ url })))
 */
export const layer: Layer.Layer<Todos | Lists | Changes | Accounts, never, SqlClient.SqlClient> = Layer.mergeAll(
  Todos.layer,
  Lists.layer,
  Changes.layer,
  Accounts.layer
)
