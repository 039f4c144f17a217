/**
 * Restores an export: all of it or nothing, in one transaction, in constant memory. It needs the owner of the tables and a
 * connection without statement timeout.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type * as SqlClient from "effect/sql/SqlClient"
import type { UserId } from "../../domain/User.ts"
import { ExportReader, type ExportedRow } from "./ExportReader.ts"
import { columnsOfList } from "../../lists/ListColumns.ts"
import { columnsOfTodo } from "../../todos/TodoColumns.ts"
import { ImportInvalid } from "./ImportProblems.ts"
import type { ImportOptions, ImportReport } from "./ImportReport.ts"
import { textFile } from "../../formats/TextFile.ts"
import { type ImportFailure, type ImportPlan, importStaged, type StagedRow } from "./ImportTransaction.ts"

/**
 * Imports an export into the exported user, or into `user`.
 *
 * A user without data gets exactly the exported rows, with positions, revisions and times. If the user has data:
 * - Without `merge`, every row of the file must exist unchanged. Anything else fails with `ImportConflict`.
 * - With `merge`, missing rows are added, and of two versions the one that was written later is kept. Changed rows get new
 *   revisions, so clients receive them as changes.
 *
 * Fails with `ImportInvalid`, which lists the first problems of the file, with `ImportConflict`, with `NotTheOwner` and
 * with `Unavailable`.
 */
export const restore = <E, R, R2>(
  file: Stream.Stream<Uint8Array, E, R>,
  options: ImportOptions<R2> & { readonly user?: UserId | undefined; readonly merge: boolean }
): Effect.Effect<ImportReport, ImportFailure<E>, R | R2 | SqlClient.SqlClient> =>
  importStaged(
    options,
    Effect.fnUntraced(function* (staged) {
      const reader = new ExportReader()
      const { problems } = reader
      yield* options.watch("reading", undefined, (advance) => {
        const take = (rows: Iterable<ExportedRow>) =>
          Effect.suspend(() => {
            const taken = Array.from(rows, ({ kind, line, row }): StagedRow => [kind, { line, ...restoredRow(row) }])
            // After a problem the rest is only checked, because nothing will be imported.
            return Effect.andThen(problems.count > 0 ? Effect.void : staged.add(taken), advance(taken.length))
          })
        return Effect.andThen(
          Stream.runForEach(textFile(file), (bytes) => take(reader.read(bytes))),
          Effect.suspend(() => take(reader.end()))
        )
      })
      const { header } = reader
      if (header === undefined || problems.count > 0) {
        return yield* new ImportInvalid({ problems: problems.first, count: problems.count })
      }
      yield* staged.end
      yield* staged.check
      const mode = options.merge ? "merge" : "exact"
      return { mode, user: options.user ?? header.user.id, header: header.user } satisfies ImportPlan
    })
  )

const restoredRow = (row: ExportedRow["row"]): Record<string, unknown> => {
  const shared = {
    id: row.id,
    position: row.position,
    revision: row.revision,
    created_at: row.createdAt,
    updated_at: row.updatedAt,
    deleted_at: row.deletedAt
  }
  return "title" in row
    ? { ...shared, ...columnsOfTodo(row), completed_at: row.completedAt }
    : { ...shared, ...columnsOfList(row) }
}
