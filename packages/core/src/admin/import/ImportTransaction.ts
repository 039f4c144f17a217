/**
 * The transaction of an import. Rows are collected in temporary tables, get a verdict each, and are written under the lock
 * that every write of the user takes.
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import type { Unavailable } from "../../domain/Errors.ts"
import type { UserId } from "../../domain/User.ts"
import * as ImportSql from "./ImportSql.ts"
import { toUnavailableTransaction } from "../../database/SqlErrors.ts"
import { onBehalfOf } from "../../database/OperatorScope.ts"
import { quotedSchema } from "../../schema/SchemaName.ts"
import type { Header } from "../export/ExportFormat.ts"
import { ImportConflict, ImportInvalid, maxProblems } from "./ImportProblems.ts"
import type { ImportOptions, ImportReport, RowCounts } from "./ImportReport.ts"

/** A row as the columns of its table, plus the number of its line. */
export type GatheredRow = readonly [ImportSql.Kind, Record<string, unknown>]

/** Collects rows in the temporary tables. */
export interface Gather {
  readonly add: (rows: ReadonlyArray<GatheredRow>) => Effect.Effect<void, SqlError>
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

/** Collects the rows that `read` adds, and writes them after the plan that it returns. */
export const gatherAndWrite = <E, R, R2>(
  { dryRun, watch }: ImportOptions<R2>,
  read: (gather: Gather) => Effect.Effect<ImportPlan, E | SqlError, R>
): Effect.Effect<ImportReport, ImportFailure<E>, R | R2 | SqlClient.SqlClient> =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const schema = yield* quotedSchema
    const run: Run = (text, ...parameters) => sql.unsafe(text, parameters).values
    const importing = Effect.gen(function* () {
      const plan = yield* Effect.flatMap(gathering(run, schema), read)
      const { changed, report } = yield* onBehalfOf(plan.user)(write<R2>(run, schema, plan, watch))
      return dryRun || !changed ? yield* new RolledBack({ report }) : report
    })
    return yield* sql.withTransaction(importing)
  }).pipe(
    Effect.catch((error) =>
      error instanceof RolledBack
        ? Effect.succeed(error.report)
        : Effect.fail(error as Exclude<E, RolledBack> | SqlError | ImportConflict)
    ),
    toUnavailableTransaction
  )

/** The errors of an import; `E` are those of reading the file. */
export type ImportFailure<E> = Exclude<E, SqlError> | ImportInvalid | ImportConflict | Unavailable

type Run = (
  text: string,
  ...parameters: ReadonlyArray<unknown>
) => Effect.Effect<ReadonlyArray<ReadonlyArray<unknown>>, SqlError>

/** The maximum of one statement, in rows and in characters of JSON. */
const statementLimit = { rows: 500, size: 1_000_000 }

const gathering = Effect.fnUntraced(function* (run: Run, schema: string): Effect.fn.Return<Gather, SqlError> {
  for (const statement of ImportSql.gather(schema)) yield* run(statement)
  const pending: Record<ImportSql.Kind, Array<string>> = { list: [], todo: [] }
  let size = 0
  const flush = Effect.gen(function* () {
    for (const kind of ["list", "todo"] as const) {
      if (pending[kind].length > 0) yield* run(ImportSql.add(kind), `[${pending[kind].join(",")}]`)
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
      Effect.forEach(ImportSql.analyze, (statement) => run(statement), { discard: true })
    ),
    check: Effect.gen(function* () {
      const found = yield* run(ImportSql.problems(maxProblems))
      if (found.length === 0) return
      const problems = found.map(([line, message]) => ({ line: Number(line), message: String(message) }))
      return yield* new ImportInvalid({ problems, count: Number(found[0]?.[2]) })
    })
  }
})

/** The number of lines that one statement writes. */
const batch = 2_000

/** Gives verdicts to the collected rows and writes them. If nothing `changed`, the caller rolls back. */
const write = Effect.fnUntraced(function* <R>(
  run: Run,
  schema: string,
  plan: ImportPlan,
  watch: ImportOptions<R>["watch"]
): Effect.fn.Return<{ readonly changed: boolean; readonly report: ImportReport }, SqlError | ImportConflict, R> {
  const { header, mode, user } = plan
  const appeared = yield* run(ImportSql.appear(schema), user)
  const [locked] = yield* run(ImportSql.lock(schema), user)
  const [revision, moment] = [Number(locked?.[0]), String(locked?.[1])]
  const restored = locked?.[2] === true ? header : undefined
  const base = Math.max(revision, header?.revision ?? 0)

  yield* run(ImportSql.verdicts(schema), user, restored === undefined ? mode : "restore", base)
  yield* run(ImportSql.analyzeSteps)
  if (mode === "exact" && restored === undefined) yield* conflicts(run)
  const { differing, lists, todos } = yield* outcomes(run)
  const steps = changes(lists) + changes(todos)

  yield* watch("writing", steps, (advance) =>
    steps === 0
      ? Effect.void
      : writeRows(run, schema, user, restored === undefined ? moment : null, { lists, todos }, advance)
  )
  const takenOut =
    mode === "merge" ? Number((yield* run(ImportSql.takeOut(schema), user, base + steps, moment))[0]?.[0]) : 0
  const changed = restored !== undefined || steps + takenOut > 0
  const [advanced] = yield* restored === undefined
    ? run(ImportSql.advanceUser(schema), user, base + steps + takenOut, moment)
    : run(
        ImportSql.restoreUser(schema),
        user,
        restored.revision,
        restored.horizon,
        restored.createdAt,
        restored.writtenAt,
        // A restore into another user does not disable that user.
        restored.id === user ? restored.disabledAt : null,
        appeared.length === 0
      )
  if (steps >= batch) yield* run(ImportSql.analyzeFilled(schema))
  const reached = changed ? Number(advanced?.[0]) : revision
  return { changed, report: { user, revision: reached, lists, todos, takenOut, differing } }
})

const conflicts = Effect.fnUntraced(function* (run: Run) {
  const found = yield* run(ImportSql.judged(maxProblems), ["added", "kept"])
  if (found.length === 0) return
  const problems = found.map(([line, kind, id, verdict]) => ({
    line: Number(line),
    message: `${String(kind)} ${String(id)} ${verdict === "added" ? "is missing in the database" : "is different in the database"}`
  }))
  return yield* new ImportConflict({ problems, count: Number(found[0]?.[4]) })
})

const changes = ({ added, replaced }: RowCounts): number => added + replaced

const outcomes = Effect.fnUntraced(function* (run: Run) {
  const found = yield* run(ImportSql.counts)
  const outcome = (kind: ImportSql.Kind): RowCounts => {
    const count = (verdict: keyof RowCounts) =>
      Number(found.find(([one, other]) => one === kind && other === verdict)?.[2] ?? 0)
    return { added: count("added"), replaced: count("replaced"), kept: count("kept"), same: count("same") }
  }
  const differing = (yield* run(ImportSql.judged(maxProblems), ["replaced", "kept"])).map(
    ([line, kind, id, verdict]) => ({
      line: Number(line),
      kind: kind as ImportSql.Kind,
      id: String(id),
      verdict: verdict as "replaced" | "kept"
    })
  )
  return { lists: outcome("list"), todos: outcome("todo"), differing }
})

/** Writes added and replaced rows. Lists come first, because todos refer to them. */
const writeRows = Effect.fnUntraced(function* (
  run: Run,
  schema: string,
  user: UserId,
  writtenAt: string | null,
  { lists, todos }: Pick<ImportReport, "lists" | "todos">,
  advance: (count: number) => Effect.Effect<void>
) {
  const last = Number((yield* run(ImportSql.lastLine))[0]?.[0])
  yield* run(ImportSql.insert(schema, "list"), user, 0, last, writtenAt)
  if (lists.replaced > 0) yield* run(ImportSql.replace(schema, "list"), user, 0, last, writtenAt)
  yield* advance(changes(lists))
  for (let from = 0; from < last; from += batch) {
    const lines = [user, from, from + batch] as const
    const [added] = yield* run(ImportSql.insert(schema, "todo"), ...lines, writtenAt)
    yield* run(ImportSql.indexAdded(schema), ...lines)
    yield* advance(Number(added?.[0]))
    if (todos.replaced === 0) continue
    const [replaced] = yield* run(ImportSql.indexReplaced(schema), ...lines)
    yield* run(ImportSql.replace(schema, "todo"), ...lines, writtenAt)
    yield* advance(Number(replaced?.[0]))
  }
})
