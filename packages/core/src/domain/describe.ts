import type * as Schema from "effect/Schema"

/** Adds a description of a field to generated documents such as OpenAPI. It does not change what the schema accepts. */
export const describe = <S extends Schema.Top>(schema: S, description: string): S["Rebuild"] =>
  schema.annotateKey({ description })
