import type * as Schema from "effect/Schema"

/** Says in documents that are made from a schema, such as OpenAPI, what a field is. The schema itself accepts the same as before. */
export const describe = <S extends Schema.Top>(schema: S, description: string): S["Rebuild"] =>
  schema.annotateKey({ description })
