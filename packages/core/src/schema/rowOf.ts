import type { QuotedSchema } from "./SchemaName.ts"

/**
 * The row `t` as the type of its table. On a shard of Citus, `t` has a row type of its own, which `todo_json` and
 * `list_json` refuse.
 */
export const rowOf = (schema: QuotedSchema, table: "todos" | "lists", t = "t"): string =>
  `row(${t}.*)::${schema}.${table}`
