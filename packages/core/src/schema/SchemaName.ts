import * as Context from "effect/Context"
import * as Schema from "effect/Schema"

/** The name of a PostgreSQL schema: lower case, not one of PostgreSQL's own. */
export const SchemaNameValue = Schema.String.check(
  Schema.isPattern(/^(?!pg_)[a-z_][a-z0-9_]{0,62}$/, {
    expected: "a lower-case schema name of at most 63 letters, digits and underscores that does not begin with pg_"
  })
)

/** The schema that holds the tables. `todo` unless the host says otherwise. */
export class SchemaName extends Context.Reference<string>("@todo/core/SchemaName", { defaultValue: () => "todo" }) {}
