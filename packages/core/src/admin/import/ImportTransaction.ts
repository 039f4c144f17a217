/**
 * The transaction of an import. Rows are collected in staging tables, get a verdict each, and are written under the lock that
 * every write of the user takes.
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import type { Unavailable } from "../../domain/Errors.ts"
import type { UserId } from "../../domain/User.ts"
import * as ImportSql from "./ImportSql.ts"
import { toUnavailableTransaction } from "../../database/SqlErrors.ts"
import { firstRow } from "../../database/firstRow.ts"
import { onBehalfOf } from "../../database/OperatorScope.ts"
import { type QuotedSchema, quotedSchema } from "../../schema/SchemaName.ts"
import type { Header } from "../export/ExportFormat.ts"
import * as TableOwner from "../TableOwner.ts"
import { ImportConflict, ImportInvalid, maxProblems } from "./ImportProblems.ts"
import type { ImportOptions, ImportReport, RowCounts } from "./ImportReport.ts"

/** A row as the columns of its table, plus the number of its line. */
export type StagedRow = readonly [ImportSql.Kind, Record<string, unknown>]

/** Collects rows in the staging tables. */
export interface StagedRows {
  readonly add: (rows: ReadonlyArray<StagedRow>) => Effect.Effect<void, SqlError>
  readonly end: Effect.Effect<void, SqlError>
  /** Fails if rows contradict each other, for example by the same position. */
  readonly check: Effect.Effect<void, SqlError | ImportInvalid>
}

/** The user and the mode of an import. `header` has the exported user, for a restore. */
export interface ImportPlan {
  readonly mode: "exact" | "merge" | "add"
  readonly user: UserId
  readonly header: Header["user"] | undefined
}

/** Ends a transaction so that it is rolled back. */
class RolledBack extends Data.TaggedError("RolledBack")<{ readonly report: ImportReport }> {}

/** Stages the rows that `read` adds, and writes them after the plan that it returns. */
export const importStaged = <E, R, R2>(
  { dryRun, watch }: ImportOptions<R2>,
  read: (staged: StagedRows) => Effect.Effect<ImportPlan, E | SqlError, R>
): Effect.Effect<ImportReport, ImportFailure<E>, R | R2 | SqlClient.SqlClient> =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const schema = yield* quotedSchema
    yield* TableOwner.required
    const importing = Effect.gen(function* () {
      const plan = yield* Effect.flatMap(stage(schema), read)
      const { changed, report } = yield* onBehalfOf(plan.user)(write<R2>(schema, plan, watch))
      return dryRun || !changed ? yield* new RolledBack({ report }) : report
    })
    return yield* sql.withTransaction(importing)
  }).pipe(
    Effect.catch((error) =>
      error instanceof RolledBack
        ? Effect.succeed(error.report)
        : Effect.fail(error as Exclude<E, RolledBack> | SqlError | ImportConflict | TableOwner.NotTheOwner)
    ),
    toUnavailableTransaction
  )

/** The errors of an import; `E` are those of reading the file. */
export type ImportFailure<E> =
  | Exclude<E, SqlError>
  | ImportInvalid
  | ImportConflict
  | TableOwner.NotTheOwner
  | Unavailable

/** The maximum of one statement, in rows and in characters of JSON. */
const statementLimit = { rows: 500, size: 1_000_000 }

const stage = Effect.fnUntraced(function* (
  schema: QuotedSchema
): Effect.fn.Return<StagedRows, SqlError, SqlClient.SqlClient> {
  const sql = yield* SqlClient.SqlClient
  for (const statement of ImportSql.createStagingTables(schema)) yield* sql.unsafe(statement)
  const pending: Record<ImportSql.Kind, Array<string>> = { list: [], todo: [] }
  let size = 0
  const flush = Effect.gen(function* () {
    for (const kind of ["list", "todo"] as const) {
      if (pending[kind].length > 0) yield* sql.unsafe(ImportSql.stageRows(kind), [`[${pending[kind].join(",")}]`])
      pending[kind] = []
    }
    size = 0
  })
  return {
    add: Effect.fnUntraced(function* (rows) {
      for (const [kind, row] of rows) {
        const json = JSON.stringify(row)
        size += json.length
        if (pending[kind].push(json) === statementLimit.rows || size > statementLimit.size) yield* flush
      }
    }),
    end: Effect.andThen(
      flush,
      Effect.forEach(ImportSql.analyzeStagedRows, (statement) => sql.unsafe(statement), { discard: true })
    ),
    check: Effect.gen(function* () {
      const found = yield* sql.unsafe<ImportSql.Problem>(ImportSql.problems(maxProblems))
      const [first] = found
      if (first === undefined) return
      const problems = found.map(({ line, message }) => ({ line, message }))
      return yield* new ImportInvalid({ problems, count: first.total })
    })
  }
})

/** The number of lines that one statement writes. */
const batch = 2_000

/** Gives verdicts to the staged rows and writes them. If nothing `changed`, the caller rolls back. */
const write = Effect.fnUntraced(function* <R>(
  schema: QuotedSchema,
  plan: ImportPlan,
  watch: ImportOptions<R>["watch"]
): Effect.fn.Return<
  { readonly changed: boolean; readonly report: ImportReport },
  SqlError | ImportConflict,
  R | SqlClient.SqlClient
> {
  const sql = yield* SqlClient.SqlClient
  const { header, mode, user } = plan
  const inserted = yield* sql.unsafe(ImportSql.insertUser(schema), [user])
  const { isEmpty, now, revision } = yield* firstRow<ImportSql.LockedUser>(ImportSql.lockUser(schema), [user])
  const restored = isEmpty ? header : undefined
  const base = Math.max(revision, header?.revision ?? 0)

  yield* sql.unsafe(ImportSql.insertSteps(schema), [user, restored === undefined ? mode : "restore", base])
  yield* sql.unsafe(ImportSql.analyzeSteps)
  if (mode === "exact" && restored === undefined) yield* conflicts
  const { differing, lists, todos } = yield* outcomes
  const changedRows = changes(lists) + changes(todos)

  yield* watch("writing", changedRows, (advance) =>
    changedRows === 0
      ? Effect.void
      : writeRows(schema, user, restored === undefined ? now : null, { lists, todos }, advance)
  )
  const removal = [user, base + changedRows, now]
  const [removed] =
    mode === "merge" ? yield* sql.unsafe<ImportSql.Written>(ImportSql.removeFromTrashedLists(schema), removal) : []
  const removedFromLists = removed?.rows ?? 0
  const changed = restored !== undefined || changedRows + removedFromLists > 0
  const [advanced] = yield* restored === undefined
    ? sql.unsafe<ImportSql.UserRevision>(ImportSql.advanceUser(schema), [
        user,
        base + changedRows + removedFromLists,
        now
      ])
    : sql.unsafe<ImportSql.UserRevision>(ImportSql.restoreUser(schema), [
        user,
        restored.revision,
        restored.horizon,
        restored.createdAt,
        restored.writtenAt,
        // A restore into another user does not disable that user.
        restored.id === user ? restored.disabledAt : null,
        inserted.length === 0
      ])
  if (changedRows >= batch) yield* sql.unsafe(ImportSql.analyzeFilled(schema))
  const reached = changed ? (advanced?.revision ?? base) : revision
  return {
    changed,
    report: { user, revision: reached, lists, todos, takenOut: removedFromLists, differing }
  }
})

const rowsWithVerdict = <V extends ImportSql.Verdict>(...verdicts: ReadonlyArray<V>) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    sql.unsafe<ImportSql.RowWithVerdict<V>>(ImportSql.rowsWithVerdict(maxProblems), [verdicts])
  )

const conflicts = Effect.gen(function* () {
  const found = yield* rowsWithVerdict("added", "kept")
  const [first] = found
  if (first === undefined) return
  const problems = found.map(({ id, kind, line, verdict }) => ({
    line,
    message: `${kind} ${id} ${verdict === "added" ? "is missing in the database" : "is different in the database"}`
  }))
  return yield* new ImportConflict({ problems, count: first.total })
})

const changes = ({ added, replaced }: RowCounts): number => added + replaced

const outcomes = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const counts = yield* sql.unsafe<ImportSql.VerdictCount>(ImportSql.countVerdicts)
  const outcome = (kind: ImportSql.Kind): RowCounts => {
    const count = (verdict: ImportSql.Verdict) =>
      counts.find((row) => row.kind === kind && row.verdict === verdict)?.rows ?? 0
    return { added: count("added"), replaced: count("replaced"), kept: count("kept"), same: count("same") }
  }
  const differing = (yield* rowsWithVerdict("replaced", "kept")).map(({ id, kind, line, verdict }) => ({
    line,
    kind,
    id,
    verdict
  }))
  return { lists: outcome("list"), todos: outcome("todo"), differing }
})

/** Writes added and replaced rows. Lists come first, because todos refer to them. */
const writeRows = Effect.fnUntraced(function* (
  schema: QuotedSchema,
  user: UserId,
  writtenAt: string | null,
  { lists, todos }: Pick<ImportReport, "lists" | "todos">,
  advance: (count: number) => Effect.Effect<void>
) {
  const sql = yield* SqlClient.SqlClient
  const [end] = yield* sql.unsafe<ImportSql.LastLine>(ImportSql.lastLine)
  const last = end?.line ?? 0
  yield* sql.unsafe(ImportSql.insertRows(schema, "list"), [user, 0, last, writtenAt])
  if (lists.replaced > 0) yield* sql.unsafe(ImportSql.replaceRows(schema, "list"), [user, 0, last, writtenAt])
  yield* advance(changes(lists))
  for (let from = 0; from < last; from += batch) {
    const lines = [user, from, from + batch]
    const [added] = yield* sql.unsafe<ImportSql.Written>(ImportSql.insertRows(schema, "todo"), [...lines, writtenAt])
    yield* sql.unsafe(ImportSql.indexAdded(schema), lines)
    yield* advance(added?.rows ?? 0)
    if (todos.replaced === 0) continue
    const [replaced] = yield* sql.unsafe<ImportSql.Written>(ImportSql.indexReplaced(schema), lines)
    yield* sql.unsafe(ImportSql.replaceRows(schema, "todo"), [...lines, writtenAt])
    yield* advance(replaced?.rows ?? 0)
  }
})
