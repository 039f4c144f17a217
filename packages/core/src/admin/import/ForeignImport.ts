/**
 * Imports todos of other programs: all of them or none, in one transaction. It needs the owner of the tables and a
 * connection without statement timeout.
 */
import { createHash } from "node:crypto"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type * as SqlClient from "effect/sql/SqlClient"
import { Instant } from "../../domain/Time.ts"
import { NewTodo, TodoId } from "../../domain/Todo.ts"
import { todoDefaults } from "../../domain/TodoDefaults.ts"
import type { UserId } from "../../domain/User.ts"
import { columnsOfTodo } from "../../todos/TodoColumns.ts"
import { ImportInvalid, Problems } from "./ImportProblems.ts"
import type { ImportOptions, ImportReport } from "./ImportReport.ts"
import { type ImportFailure, type ImportPlan, importStaged, type StagedRow } from "./ImportTransaction.ts"

/** A todo of a file, not yet validated. */
export interface UnvalidatedTodo {
  /** The number of the line, from 1. */
  readonly line: number
  /** The text in the file. The id of a todo without one is derived from it, so importing it again adds nothing. */
  readonly source: string
  /** The fields of a `Candidate`. */
  readonly todo: unknown
  /** Why the line could not be parsed. `todo` is then ignored. */
  readonly problem?: string
}

const { listId: _listId, ...settable } = NewTodo.fields

/** The fields that an import may set: those that a client may set, without the list, plus the id and two times. */
const Candidate = Schema.Struct({
  id: Schema.optionalKey(TodoId),
  ...settable,
  createdAt: Schema.optionalKey(Instant),
  completedAt: Schema.optionalKey(Instant)
}).check(
  Schema.makeFilter(({ completed, completedAt }) => completed !== false || completedAt === undefined, {
    message: "must not have completedAt if completed is false"
  })
)
type Candidate = typeof Candidate.Type

const decode = Schema.decodeUnknownResult(Candidate, { errors: "all", onExcessProperty: "error" })

/**
 * Adds the todos whose ids the user does not have, behind all others. Todos that the user has stay unchanged, also those in
 * the trash.
 *
 * Fails with `ImportInvalid`, which lists the first problems of the file, with `ImportConflict`, with `NotTheOwner` and
 * with `Unavailable`.
 */
export const run = <E, R, R2>(
  found: Stream.Stream<UnvalidatedTodo, E, R>,
  options: ImportOptions<R2> & { readonly user: UserId }
): Effect.Effect<ImportReport, ImportFailure<E>, R | R2 | SqlClient.SqlClient> =>
  importStaged(
    options,
    Effect.fnUntraced(function* (staged) {
      const now = new Date(yield* Clock.currentTimeMillis).toISOString()
      const problems = new Problems()
      const ids = new Ids(options.user)
      const rowOf = ({ line, problem, source, todo }: UnvalidatedTodo): ReadonlyArray<StagedRow> => {
        if (problem !== undefined) return problems.add(line, problem)
        const candidate = decode(todo)
        if (Result.isFailure(candidate)) return problems.addIssue(line, candidate.failure.issue)
        const id = ids.of(source, candidate.success.id)
        if (id === undefined) return problems.add(line, "id must be unique; an earlier line has the same one")
        return [["todo", columnsOf(line, id, candidate.success, now)]]
      }
      yield* options.watch("reading", undefined, (advance) =>
        Stream.runForEachArray(found, (page) =>
          Effect.suspend(() => Effect.andThen(staged.add(page.flatMap(rowOf)), advance(page.length)))
        )
      )
      if (problems.count > 0) return yield* new ImportInvalid({ problems: problems.first, count: problems.count })
      yield* staged.end
      return { mode: "add", user: options.user, header: undefined } satisfies ImportPlan
    })
  )

/** The namespace of our derived ids (RFC 9562, 6.6). Random, and never to be changed. */
const namespace = Buffer.from("6f1d0a7be95b4b0f9d2e0f8f8c1a3b57", "hex")

/** The ids of one file. */
class Ids {
  readonly #user: UserId
  readonly #seen = new Map<string, number>()

  constructor(user: UserId) {
    this.#user = user
  }

  /** The id of the todo, or one that is derived from the text (UUID version 5). `undefined` if the id was used before. */
  of(source: string, id: TodoId | undefined): TodoId | undefined {
    if (id !== undefined) return this.#times(id) === 0 ? id : undefined
    // Two equal lines are two todos, so the number of the repetition is part of the name.
    const name = JSON.stringify([this.#user, source])
    const times = this.#times(createHash("sha1").update(name).digest("base64"))
    const bytes = createHash("sha1").update(namespace).update(name).update(String(times)).digest().subarray(0, 16)
    bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x50, 6)
    bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8)
    return TodoId.make(bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-"))
  }

  /** How often the key was seen before. */
  #times(key: string): number {
    const times = this.#seen.get(key) ?? 0
    this.#seen.set(key, times + 1)
    return times
  }
}

const columnsOf = (line: number, id: TodoId, candidate: Candidate, now: string): Record<string, unknown> => {
  const { completedAt, completed = completedAt !== undefined, createdAt = now, id: _, ...fields } = candidate
  return {
    ...columnsOfTodo({ ...todoDefaults, ...fields }),
    line,
    id,
    // `insertSteps` in ImportSql.ts puts rows without a position behind all others.
    position: "",
    revision: line,
    created_at: createdAt,
    updated_at: now,
    completed_at: completed ? (completedAt ?? now) : null
  }
}
