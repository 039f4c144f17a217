import { expectation } from "@todo/core/domain"
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"

/**
 * An optional query parameter that is a whole number, in one spelling only: no sign, no exponent, no leading zero.
 * `initial` is the documented default; the service applies it.
 */
export const integerParameter = <S extends Schema.Codec<number, number>>(schema: S, initial: number) =>
  Schema.optionalKey(
    Schema.String.annotate({ contentSchema: { ...Schema.toJsonSchemaDocument(schema).schema, default: initial } })
      .check(Schema.isPattern(/^(0|[1-9]\d{0,8})$/, { expected: expectation(schema) }))
      .pipe(Schema.decodeTo(schema, SchemaTransformation.transform({ decode: Number, encode: String })))
  )
