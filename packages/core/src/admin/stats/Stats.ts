/**
 * What an installation holds, over all users. Run as the owner of the tables.
 */
import * as Effect from "effect/Effect"
import * as SqlClient from "effect/sql/SqlClient"
import type { Unavailable } from "../../domain/Errors.ts"
import type { UserId } from "../../domain/User.ts"
import { toUnavailable } from "../../database/SqlErrors.ts"
import { overAllUsers } from "../../database/OperatorScope.ts"
import { SchemaName } from "../../schema/SchemaName.ts"
import * as TableOwner from "../TableOwner.ts"
import * as StatsSql from "./StatsSql.ts"

/** An installation in numbers. */
export interface Stats {
  /** Active are those who have changed anything in the last days. */
  readonly users: {
    readonly total: number
    readonly disabled: number
    readonly activeIn7Days: number
    readonly activeIn30Days: number
  }
  /** How many todos there are. */
  readonly todos: { readonly open: number; readonly completed: number; readonly trashed: number }
  /** How many lists there are, those in the trash among them. */
  readonly lists: { readonly total: number; readonly trashed: number }
  /**
   * How many todos had their last change on each day (UTC) of the last four weeks. Not how many writes there were: what
   * was changed again counts on the last day alone, and what was purged is not counted.
   */
  readonly days: ReadonlyArray<{ readonly date: string; readonly todos: number }>
  /** Who has most todos, the trash included. */
  readonly biggest: ReadonlyArray<{ readonly id: UserId; readonly todos: number }>
  /** What tables and their indexes take on disk. */
  readonly tables: ReadonlyArray<{ readonly name: string; readonly bytes: number; readonly indexBytes: number }>
}

const days = 28
const biggest = 10

/** Counts everything once: some seconds for a million todos. */
export const read: Effect.Effect<Stats, TableOwner.NotTheOwner | Unavailable, SqlClient.SqlClient> = Effect.gen(
  function* () {
    const sql = yield* SqlClient.SqlClient
    const schema = `"${yield* SchemaName}"`
    yield* TableOwner.required
    const [[users], [todos], tables] = yield* overAllUsers(
      Effect.all([
        sql.unsafe(StatsSql.users(schema)).values,
        sql.unsafe(StatsSql.todos(schema), [days, biggest]).values,
        sql.unsafe(StatsSql.tables, [schema]).values
      ])
    )
    const [total = 0, disabled = 0, activeIn7Days = 0, activeIn30Days = 0, lists = 0, trashed = 0] = (users ?? []).map(
      Number
    )
    return {
      users: { total, disabled, activeIn7Days, activeIn30Days },
      lists: { total: lists, trashed },
      ...(JSON.parse(String(todos?.[0])) as Pick<Stats, "todos" | "days" | "biggest">),
      tables: tables.map(([name, bytes, indexBytes]) => ({
        name: String(name),
        bytes: Number(bytes),
        indexBytes: Number(indexBytes)
      }))
    }
  }
).pipe(toUnavailable)
