import type * as Effect from "effect/Effect"
import type { UserId } from "../../domain/User.ts"

/** The number of rows of one kind, by what the import does with them. */
export interface RowCounts {
  /** Rows of the file that the user did not have. */
  readonly added: number
  /** Rows of the user that differ from the file and are older. */
  readonly replaced: number
  /** Rows of the user that differ from the file and are not older. */
  readonly kept: number
  /** Rows that the user already has unchanged. */
  readonly same: number
}

/** The result of an import, or of a dry run. */
export interface ImportReport {
  /** The user who owns the rows. */
  readonly user: UserId
  /** The user's revision afterwards. */
  readonly revision: number
  /** What happened to the lists. */
  readonly lists: RowCounts
  /** What happened to the todos. */
  readonly todos: RowCounts
  /** The number of todos that a merge removed from their list, because the list is in the trash and the todo is not. */
  readonly takenOut: number
  /** The first 20 rows that differ, in the order of the file. */
  readonly differing: ReadonlyArray<{
    readonly line: number
    readonly kind: "list" | "todo"
    readonly id: string
    readonly verdict: "replaced" | "kept"
  }>
}

/** The options of an import. */
export interface ImportOptions<R> {
  /** Report what would happen, and roll back. */
  readonly dryRun: boolean
  /**
   * Wraps each step, to show its progress in rows. `total` is `undefined` while reading, because the number of rows is not
   * known. `advance` reports that `count` further rows are done.
   */
  readonly watch: <A, E, R2>(
    step: "reading" | "writing",
    total: number | undefined,
    use: (advance: (count: number) => Effect.Effect<void>) => Effect.Effect<A, E, R2>
  ) => Effect.Effect<A, E, R | R2>
}
