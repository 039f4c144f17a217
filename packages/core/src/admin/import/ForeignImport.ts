/**
 * Brings in todos that other programs made: all of them or none, in one transaction. Run as the owner of the tables,
 * on connections without limits of time.
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
import type { UserId } from "../../domain/User.ts"
import { columns } from "../../todos/TodoColumns.ts"
import { ImportInvalid, Problems } from "./ImportProblems.ts"
import type { ImportOptions, ImportReport } from "./ImportReport.ts"
import { type ImportFailure, type GatheredRow, gatherAndWrite, type ImportPlan } from "./ImportTransaction.ts"

/** What was found in a file. It may be anything. */
export interface ForeignTodo {
  /** Where it stood, from 1 on. */
  readonly line: number
  /** What stood there. Of a todo that brings no id, it makes the id, so that to bring it in again adds nothing. */
  readonly source: string
  /** The fields of a `Candidate`, or what is wrong with the line. */
  readonly todo: unknown
  /** What whoever read the line found wrong with it; `todo` is not looked at then. */
  readonly problem?: string
}

const { listId: _listId, ...settable } = NewTodo.fields

/** A todo on its way in: what a client may set but the list, and of what it had before, what there is. */
const Candidate = Schema.Struct({
  id: Schema.optionalKey(TodoId),
  ...settable,
  createdAt: Schema.optionalKey(Instant),
  completedAt: Schema.optionalKey(Instant)
}).check(
  Schema.makeFilter(({ completed, completedAt }) => completed !== false || completedAt === undefined, {
    expected: "no completedAt where completed is false"
  })
)
type Candidate = typeof Candidate.Type

const decode = Schema.decodeUnknownResult(Candidate, { errors: "all", onExcessProperty: "error" })

/** Adds todos that are not there, by their ids, behind all others. Those that are there stay as they are, trash too. */
export const run = <E, R, R2>(
  found: Stream.Stream<ForeignTodo, E, R>,
  options: ImportOptions<R2> & { readonly user: UserId }
): Effect.Effect<ImportReport, ImportFailure<E>, R | R2 | SqlClient.SqlClient> =>
  gatherAndWrite(
    options,
    Effect.fnUntraced(function* (gather) {
      const now = new Date(yield* Clock.currentTimeMillis).toISOString()
      const problems = new Problems()
      const ids = new Ids(options.user)
      const rowOf = ({ line, problem, source, todo }: ForeignTodo): ReadonlyArray<GatheredRow> => {
        if (problem !== undefined) return problems.add(line, problem)
        const candidate = decode(todo)
        if (Result.isFailure(candidate)) return problems.addIssue(line, candidate.failure.issue)
        const id = ids.of(source, candidate.success.id)
        if (id === undefined) return problems.add(line, "id: that of a line before")
        return [["todo", columnsOf(line, id, candidate.success, now)]]
      }
      yield* options.watch("reading", undefined, (advance) =>
        Stream.runForEachArray(found, (page) =>
          Effect.suspend(() => Effect.andThen(gather.add(page.flatMap(rowOf)), advance(page.length)))
        )
      )
      if (problems.count > 0) return yield* new ImportInvalid({ problems: problems.first, count: problems.count })
      yield* gather.end
      return { mode: "add", user: options.user, header: undefined } satisfies ImportPlan
    })
  )

/** A namespace of our own (RFC 9562, 6.6). */
const namespace = Buffer.from("6f1d0a7be95b4b0f9d2e0f8f8c1a3b57", "hex")

/** The ids of one file. */
class Ids {
  readonly #user: UserId
  readonly #seen = new Map<string, number>()

  constructor(user: UserId) {
    this.#user = user
  }

  /** The id that was given, or else that of what stood there, the same each time (UUID version 5). */
  of(source: string, given: TodoId | undefined): TodoId | undefined {
    if (given !== undefined) return this.#times(given) === 0 ? given : undefined
    // What stands there twice is two todos.
    const name = JSON.stringify([this.#user, source])
    const times = this.#times(createHash("sha1").update(name).digest("base64"))
    const bytes = createHash("sha1").update(namespace).update(name).update(String(times)).digest().subarray(0, 16)
    bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x50, 6)
    bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8)
    return TodoId.make(bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-"))
  }

  /** How often it was seen before. */
  #times(key: string): number {
    const times = this.#seen.get(key) ?? 0
    this.#seen.set(key, times + 1)
    return times
  }
}

const columnsOf = (line: number, id: TodoId, todo: Candidate, now: string): Record<string, unknown> => {
  const {
    completed = todo.completedAt !== undefined,
    description = null,
    due = null,
    priority = "none",
    tags = [],
    title
  } = todo
  return {
    ...columns({ title, description, priority, due, tags, listId: null }),
    line,
    id,
    // Where a row goes that has no place yet.
    position: "",
    revision: line,
    created_at: todo.createdAt ?? now,
    updated_at: now,
    completed_at: completed ? (todo.completedAt ?? now) : null
  }
}
