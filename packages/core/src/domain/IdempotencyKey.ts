import * as Schema from "effect/Schema"

/** 1 to 255 visible ASCII characters that a client makes up for one write, and repeats when it repeats the write. */
export const IdempotencyKey = Schema.String.check(
  Schema.isPattern(/^[\x21-\x7e]{1,255}$/, { expected: "1 to 255 visible ASCII characters" })
).pipe(Schema.brand("IdempotencyKey"))
export type IdempotencyKey = typeof IdempotencyKey.Type
