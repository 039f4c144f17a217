import type * as Brand from "effect/Brand"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/**
 * The name of a PostgreSQL schema: 1 to 63 lower-case letters, digits and underscores. Names that begin with `pg_` are
 * reserved by PostgreSQL.
 */
export const SchemaNameValue = Schema.String.check(
  Schema.isPattern(/^(?!pg_)[a-z_][a-z0-9_]{0,62}$/, {
    expected: "a lower-case schema name of at most 63 letters, digits and underscores that does not begin with pg_"
  })
)

/**
 * The PostgreSQL schema with the tables; `todo` by default. Every layer and `Migrations` read it.
 *
 * @example
 * Services.layer.pipe(Layer.provide(Layer.succeed(SchemaName, "app_todos")))
 */
export class SchemaName extends Context.Reference<string>("@todo/core/SchemaName", { defaultValue: () => "todo" }) {}

/** The schema as an SQL identifier. Every function that builds SQL takes this, never the bare name. */
export type QuotedSchema = string & Brand.Brand<"QuotedSchema">

/** Quotes the name of a schema, which has no quotation marks (`SchemaNameValue`). */
export const quote = (schemaName: string): QuotedSchema => `"${schemaName}"` as QuotedSchema

/** The schema of `SchemaName` as an SQL identifier. */
export const quotedSchema: Effect.Effect<QuotedSchema> = Effect.map(SchemaName, quote)
