import type * as Effect from "effect/Effect"
import type { UserId } from "../../domain/User.ts"

/** What becomes of the rows of one kind. */
export interface RowCounts {
  /** Rows of the file that the user did not have. */
  readonly added: number
  /** Rows of the user that were written before those of the file. */
  readonly replaced: number
  /** Rows of the user that differ, and were not written before those of the file. */
  readonly kept: number
  /** Rows that are there already. */
  readonly same: number
}

/** What an import did, or would do. */
export interface ImportReport {
  /** Whose rows they are now. */
  readonly user: UserId
  /** The user's revision afterwards. */
  readonly revision: number
  /** Of lists. */
  readonly lists: RowCounts
  /** Of todos. */
  readonly todos: RowCounts
  /** Todos that were taken out of their list, since it is in the trash after the merge and they are not. */
  readonly takenOut: number
  /** The first rows that differ, in the order of the file. */
  readonly differing: ReadonlyArray<{
    readonly line: number
    readonly kind: "list" | "todo"
    readonly id: string
    readonly verdict: "replaced" | "kept"
  }>
}

/** How to import. */
export interface ImportOptions<R> {
  /** Find out what would happen, and leave everything as it is. */
  readonly dryRun: boolean
  /** Hears how far it has come, in rows: those that were read, whose number nobody knows, and those that were written. */
  readonly watch: <A, E, R2>(
    step: "reading" | "writing",
    total: number | undefined,
    use: (advance: (count: number) => Effect.Effect<void>) => Effect.Effect<A, E, R2>
  ) => Effect.Effect<A, E, R | R2>
}
