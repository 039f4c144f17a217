import type { IdempotencyKey } from "../domain/IdempotencyKey.ts"
import type { IfRevision } from "../domain/Revision.ts"

/** Optimistic locking: the revision that a write expects. It is checked in the transaction of the write. */
export interface Expectation {
  /**
   * A revision or a list of revisions: `RevisionMismatch` if the row is at none of them. `"*"` expects only that the row
   * exists. If it is left out, the write does not depend on the revision.
   */
  readonly ifRevision?: IfRevision | undefined
}

/** Idempotency: a write with a key happens once. Repeating it within 24 hours returns the first answer. */
export interface Once {
  /** Chosen by the caller for one write of this user: 1 to 255 visible ASCII characters. */
  readonly idempotencyKey?: IdempotencyKey | undefined
}
