import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { InvalidInput } from "./Errors.ts"
import { toInvalidInput } from "./Input.ts"

/**
 * Validates an unknown value with a schema. Fails with all problems at once. Unknown properties are errors, and ids are
 * turned to lower case. `root` is the JSON Pointer of the value in the whole input.
 */
export const validateUnknown = <S extends Schema.Codec<unknown, unknown>>(
  schema: S,
  root = ""
): ((value: unknown) => Effect.Effect<S["Type"], InvalidInput>) => {
  const decode = Schema.decodeUnknownEffect(schema, { errors: "all", onExcessProperty: "error" })
  return (value) => Effect.mapError(decode(value), (error) => toInvalidInput(error.issue, root))
}

/** Validates a value that already has the TypeScript type of the schema. */
export const validate = <S extends Schema.Codec<unknown, unknown>>(
  schema: S
): ((value: S["Type"]) => Effect.Effect<S["Type"], InvalidInput>) => validateUnknown(schema)
