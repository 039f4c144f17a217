/**
 * Counts the data of an installation over all users. It needs the owner of the tables.
 */
import * as Effect from "effect/Effect"
import * as SqlClient from "effect/sql/SqlClient"
import type { Unavailable } from "../../domain/Errors.ts"
import type { UserId } from "../../domain/User.ts"
import { toUnavailable } from "../../database/SqlErrors.ts"
import { firstRow } from "../../database/firstRow.ts"
import { overAllUsers } from "../../database/OperatorScope.ts"
import { quotedSchema } from "../../schema/SchemaName.ts"
import * as TableOwner from "../TableOwner.ts"
import * as StatsSql from "./StatsSql.ts"

/** The numbers of an installation. */
export interface Stats {
  /** A user is active if the user changed anything in that time. */
  readonly users: {
    readonly total: number
    readonly disabled: number
    readonly activeIn7Days: number
    readonly activeIn30Days: number
  }
  /** The number of todos in each state. */
  readonly todos: { readonly open: number; readonly completed: number; readonly trashed: number }
  /** The number of lists outside the trash (`total`) and in the trash. */
  readonly lists: { readonly total: number; readonly trashed: number }
  /**
   * The number of todos by the day (UTC) of their last change, for the last 28 days. It is not the number of writes: a todo
   * counts once, on the day of its last change, and purged todos do not count.
   */
  readonly days: ReadonlyArray<{ readonly date: string; readonly todos: number }>
  /** The ten users with the most todos, including the trash. */
  readonly biggest: ReadonlyArray<{ readonly id: UserId; readonly todos: number }>
  /** The size of tables and of their indexes on disk, in bytes. */
  readonly tables: ReadonlyArray<{ readonly name: string; readonly bytes: number; readonly indexBytes: number }>
}

const days = 28
const biggest = 10

/**
 * Counts everything in one pass: some seconds for a million todos.
 *
 * Fails with `NotTheOwner` and with `Unavailable`.
 */
export const read: Effect.Effect<Stats, TableOwner.NotTheOwner | Unavailable, SqlClient.SqlClient> = Effect.gen(
  function* () {
    const sql = yield* SqlClient.SqlClient
    const schema = yield* quotedSchema
    yield* TableOwner.required
    const [{ lists, trashedLists, ...users }, { numbers }, tables] = yield* overAllUsers(
      Effect.all([
        firstRow<StatsSql.Users>(StatsSql.users(schema)),
        firstRow<StatsSql.Todos>(StatsSql.todos(schema), [days, biggest]),
        sql.unsafe<StatsSql.Table>(StatsSql.tables, [schema])
      ])
    )
    return {
      users,
      lists: { total: lists, trashed: trashedLists },
      ...(JSON.parse(numbers) as Pick<Stats, "todos" | "days" | "biggest">),
      tables
    }
  }
).pipe(toUnavailable)
