import * as Effect from "effect/Effect"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"

/** The first row of a statement that always returns one. A missing row is a bug, so it is a defect. */
export const firstRow = <Row extends object>(
  text: string,
  parameters: ReadonlyArray<unknown> = []
): Effect.Effect<Row, SqlError, SqlClient.SqlClient> =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const [row] = yield* sql.unsafe<Row>(text, parameters)
    return row ?? (yield* Effect.die(new Error(`no row: ${text}`)))
  })
