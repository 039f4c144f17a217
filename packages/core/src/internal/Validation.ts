import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { InvalidInput } from "../domain/Errors.ts"
import { toInvalidInput } from "../domain/Input.ts"

/**
 * A schema as the guard of a door: the value, or everything that is wrong with it.
 * Unknown properties are refused rather than dropped.
 */
export const validated = <S extends Schema.Codec<unknown, unknown>>(
  schema: S
): ((value: S["Type"]) => Effect.Effect<S["Type"], InvalidInput>) => {
  const decode = Schema.decodeUnknownEffect(Schema.toType(schema), { errors: "all", onExcessProperty: "error" })
  return (value) => Effect.mapError(decode(value), (error) => toInvalidInput(error.issue))
}
