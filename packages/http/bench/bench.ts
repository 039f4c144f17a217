import type { Postgres } from "./postgres.ts"
import type { Check } from "./report.ts"

/** What every measurement works with. */
export interface Bench {
  readonly postgres: Postgres
  readonly rounds: number
  /** How long one run takes. */
  readonly seconds: number
  /** For files of this run alone. */
  readonly directory: string
  /** Keeps what was found against its target. */
  readonly judge: (check: Check) => Check
}
