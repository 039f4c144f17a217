/**
 * All that hosts work with, in one layer.
 */
import * as Layer from "effect/Layer"
import type * as SqlClient from "effect/sql/SqlClient"
import { Accounts } from "./Accounts.ts"
import { Changes } from "./Changes.ts"
import { Lists } from "./Lists.ts"
import { Todos } from "./Todos.ts"

/** Every user-scoped service, on the host's `SqlClient`. */
export const layer: Layer.Layer<Todos | Lists | Changes | Accounts, never, SqlClient.SqlClient> = Layer.mergeAll(
  Todos.layer,
  Lists.layer,
  Changes.layer,
  Accounts.layer
)
