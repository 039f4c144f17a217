/**
 * Reads the objects of a schema from PostgreSQL's catalogues, for two schemas: the one in the database, and the one that
 * the migrations of this release make.
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as SqlClient from "effect/sql/SqlClient"
import { functions } from "./functions/index.ts"
import { migrations } from "./migrations/index.ts"
import * as CatalogueSql from "./CatalogueSql.ts"
import type { Entry } from "./CatalogueSql.ts"
import { policies } from "./MigrationsSql.ts"
import { quote } from "./SchemaName.ts"

export type { Entry }

class Read extends Data.TaggedError("Read")<{
  readonly here: ReadonlyArray<Entry>
  readonly ours: ReadonlyArray<Entry>
}> {}

/**
 * Reads both schemas in one transaction, which is rolled back. The migrations run in the temporary schema of the
 * connection. So the same server describes both, and the role needs only the right to create temporary tables.
 */
export const readBoth = Effect.fnUntraced(function* (schemaName: string) {
  const sql = yield* SqlClient.SqlClient
  const run = (statement: string) => sql.unsafe(statement).unprepared
  return yield* sql
    .withTransaction(
      Effect.gen(function* () {
        // PostgreSQL describes objects of the search path without their schema.
        yield* run(CatalogueSql.useSearchPath(quote(schemaName)))
        const here = yield* entries(schemaName, schemaName)
        yield* run(CatalogueSql.useSearchPath("''"))
        const made = [...migrations.flatMap(({ up }) => up(temporary)), ...functions(temporary), ...policies(temporary)]
        for (const statement of made) yield* run(statement)
        return yield* new Read({ here, ours: yield* entries("pg_temp", schemaName) })
      })
    )
    .pipe(Effect.catchTag("Read", ({ here, ours }) => Effect.succeed({ here, ours })))
})

const temporary = quote("pg_temp")

/** Reads the objects of the schema. The statements create them in the schema `to`. */
const entries = Effect.fnUntraced(function* (schemaName: string, to: string) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql.unsafe<Entry>(CatalogueSql.entries, [schemaName])
  const home = schemaName === "pg_temp" ? /"pg_temp"|\bpg_temp(_\d+)?(?=\.)/g : new RegExp(quote(schemaName), "g")
  const withoutSchema = (text: string) => text.replaceAll(home, "ours").replaceAll("ours.", "")
  return rows.map((row): Entry => {
    const entry = {
      ...row,
      definition: withoutSchema(row.definition),
      statement: row.statement?.replaceAll(home, quote(to)) ?? null
    }
    if (entry.kind !== "column" || entry.facts.default === null) return entry
    return { ...entry, facts: { ...entry.facts, default: withoutSchema(entry.facts.default) } }
  })
})
