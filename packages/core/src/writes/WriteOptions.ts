import type { IdempotencyKey } from "../domain/IdempotencyKey.ts"
import type { IfRevision } from "../domain/Revision.ts"

/** What a write expects of the row, checked where the row is written. */
export interface Expectation {
  /**
   * A revision, a list of revisions, or `"*"`: `RevisionMismatch` where the row is at none of these; `"*"` only wants it
   * to be there. Nothing is expected where it is left out.
   */
  readonly ifRevision?: IfRevision | undefined
}

/** A write that can be repeated: under one key it happens once, and gives the first answer again for 24 hours. */
export interface Once {
  /** Made up by the caller, 1 to 255 visible ASCII characters; good for one write, of this user. */
  readonly idempotencyKey?: IdempotencyKey | undefined
}
