import type { Postgres } from "./postgres.ts"
import type { Check } from "./report.ts"

/** The context of every measurement. */
export interface Bench {
  readonly postgres: Postgres
  readonly rounds: number
  /** The duration of one run in seconds. */
  readonly seconds: number
  /** A directory for the files of this run. */
  readonly directory: string
  /** Records a result and its target. */
  readonly judge: (check: Check) => Check
}
