/**
 * All that hosts work with, in one layer.
 */
import * as Layer from "effect/Layer"
import type * as SqlClient from "effect/sql/SqlClient"
import { Accounts } from "./accounts/Accounts.ts"
import { Changes } from "./changes/Changes.ts"
import { Lists } from "./lists/Lists.ts"
import { Todos } from "./todos/Todos.ts"

/** Every user-scoped service, on the host's `SqlClient`. */
export const layer: Layer.Layer<Todos | Lists | Changes | Accounts, never, SqlClient.SqlClient> = Layer.mergeAll(
  Todos.layer,
  Lists.layer,
  Changes.layer,
  Accounts.layer
)
