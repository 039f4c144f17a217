import * as Layer from "effect/Layer"
import type * as SqlClient from "effect/sql/SqlClient"
import { Lists } from "./Lists.ts"
import { Todos } from "./Todos.ts"

/** Every user-scoped service, on the host's `SqlClient`. */
export const layer: Layer.Layer<Todos | Lists, never, SqlClient.SqlClient> = Layer.merge(Todos.layer, Lists.layer)
