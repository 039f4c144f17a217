import type { IdempotencyKey } from "./domain/IdempotencyKey.ts"
import type { IfRevision } from "./domain/Revision.ts"

/** What a write expects of the row, checked where the row is written. */
export interface Expectation {
  readonly ifRevision?: IfRevision | undefined
}

/** A write that can be repeated: under one key it happens once, and gives the first answer again for 24 hours. */
export interface Once {
  readonly idempotencyKey?: IdempotencyKey | undefined
}
