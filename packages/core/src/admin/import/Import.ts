/**
 * Brings into the database what was exported: all of it or nothing, in one transaction, in constant memory. Run as the owner of the tables, on connections without limits of time.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type * as SqlClient from "effect/sql/SqlClient"
import type { UserId } from "../../domain/User.ts"
import { ExportReader, type ExportedRow } from "./ExportReader.ts"
import { columns as listColumns } from "../../lists/ListColumns.ts"
import { columns as todoColumns } from "../../todos/TodoColumns.ts"
import { ImportInvalid } from "./ImportProblems.ts"
import type { ImportOptions, ImportReport } from "./ImportReport.ts"
import { textFile } from "../../formats/TextFile.ts"
import { type ImportFailure, type GatheredRow, gatherAndWrite, type ImportPlan } from "./ImportTransaction.ts"

/**
 * Imports an export for the user it was made of, or for another one.
 *
 * A user who has never written anything has afterwards exactly what was exported, with positions, revisions and times.
 * Otherwise each row of the file has to be there just so, or it is a conflict; unless `merge` is given: then rows that
 * are missing are added, and of two that differ the one that was written later is kept. What a merge changes is a
 * change like any other, with revisions beyond all that were given out, so that clients who follow the user hear of it.
 */
export const restore = <E, R, R2>(
  file: Stream.Stream<Uint8Array, E, R>,
  options: ImportOptions<R2> & { readonly user?: UserId | undefined; readonly merge: boolean }
): Effect.Effect<ImportReport, ImportFailure<E>, R | R2 | SqlClient.SqlClient> =>
  gatherAndWrite(
    options,
    Effect.fnUntraced(function* (gather) {
      const reader = new ExportReader()
      const { problems } = reader
      yield* options.watch("reading", undefined, (advance) => {
        const take = (rows: Iterable<ExportedRow>) =>
          Effect.suspend(() => {
            const taken = Array.from(rows, ({ kind, line, row }): GatheredRow => [kind, { line, ...restoredRow(row) }])
            // Once something is wrong, the rest is only looked at.
            return Effect.andThen(problems.count > 0 ? Effect.void : gather.add(taken), advance(taken.length))
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
      yield* gather.end
      yield* gather.check
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
    ? { ...shared, ...todoColumns(row), completed_at: row.completedAt }
    : { ...shared, ...listColumns(row) }
}
