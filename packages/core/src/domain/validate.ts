import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { InvalidInput } from "./Errors.ts"
import { toInvalidInput } from "./Input.ts"

/**
 * A schema as the guard of a door: the value, or everything that is wrong with it. Unknown
 * properties are refused rather than dropped, and ids are folded to lower case. `root` is where the value stands in what was
 * given.
 */
export const checked = <S extends Schema.Codec<unknown, unknown>>(
  schema: S,
  root = ""
): ((value: unknown) => Effect.Effect<S["Type"], InvalidInput>) => {
  const decode = Schema.decodeUnknownEffect(schema, { errors: "all", onExcessProperty: "error" })
  return (value) => Effect.mapError(decode(value), (error) => toInvalidInput(error.issue, root))
}

/** The same for what TypeScript has looked at already. */
export const validated = <S extends Schema.Codec<unknown, unknown>>(
  schema: S
): ((value: S["Type"]) => Effect.Effect<S["Type"], InvalidInput>) => checked(schema)
