/**
 * Reads all data of one user as one consistent snapshot, in constant memory.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as SqlClient from "effect/sql/SqlClient"
import type { Unavailable } from "../../domain/Errors.ts"
import type { Todo } from "../../domain/Todo.ts"
import type { TodoList } from "../../domain/TodoList.ts"
import type { UserId } from "../../domain/User.ts"
import * as ExportSql from "./ExportSql.ts"
import { toReadError, toUnavailableTransaction } from "../../database/SqlErrors.ts"
import { onBehalfOf } from "../../database/OperatorScope.ts"
import { quotedSchema } from "../../schema/SchemaName.ts"
import type { Header, Trailer } from "./ExportFormat.ts"
import * as TableOwner from "../TableOwner.ts"
import { UserNotFound } from "../users/UserNotFound.ts"

/** All data of one user, including the trash. The streams read rows on demand, in pages ordered by id. */
export interface Snapshot {
  /** The user: id, revision, horizon, and the times of the first and the last write. */
  readonly user: Header["user"]
  /** The number of lists and of todos. */
  readonly counts: Trailer["end"]
  /** Every list. */
  readonly lists: Stream.Stream<ReadonlyArray<TodoList>, Unavailable>
  /** Every todo. */
  readonly todos: Stream.Stream<ReadonlyArray<Todo>, Unavailable>
}

const pageSize = 500

/**
 * Runs `use` with a snapshot of a user's data. One transaction (repeatable read) stays open until `use` ends, so `use` does
 * not see later writes. It needs the owner of the tables and a connection without statement timeout.
 *
 * Fails with `UserNotFound` if the user has never written anything, with `NotTheOwner` and with `Unavailable`.
 */
export const snapshot = <A, E, R>(user: UserId, use: (snapshot: Snapshot) => Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const context = yield* Effect.context<SqlClient.SqlClient>()
    const schema = yield* quotedSchema
    yield* TableOwner.required
    const [account] = yield* sql.unsafe<ExportSql.Account>(ExportSql.account(schema), [user])
    if (account === undefined) return yield* new UserNotFound()

    const rows = <Item>(kind: "list" | "todo"): Stream.Stream<ReadonlyArray<Item>, Unavailable> =>
      Stream.paginate(
        undefined as string | undefined,
        Effect.fnUntraced(function* (after: string | undefined) {
          const text = ExportSql.page(schema, kind, after === undefined)
          const begin = after === undefined ? [] : [after]
          const rows = yield* toReadError(sql.unsafe<ExportSql.Row>(text, [user, pageSize, ...begin]))
          const page = rows.map(({ item }): Item => JSON.parse(item))
          const last = rows.length < pageSize ? undefined : rows.at(-1)
          return [page.length === 0 ? [] : [page], Option.map(Option.fromUndefinedOr(last), ({ id }) => id)] as const
        })
      ).pipe(Stream.provideContext(context))

    return yield* use({
      user: JSON.parse(account.account),
      counts: { lists: account.lists, todos: account.todos },
      lists: rows<TodoList>("list"),
      todos: rows<Todo>("todo")
    })
  }).pipe(
    onBehalfOf(user),
    Effect.provideService(SqlClient.BeginTransaction, ExportSql.begin),
    toUnavailableTransaction
  )

/**
 * The text of an export, one page of lines per element. The same data gives the same bytes. Idempotency keys are left out,
 * because they belong to requests that were made to this database.
 */
export const toLines = ({ counts, lists, todos, user }: Snapshot): Stream.Stream<string, Unavailable> => {
  const header: Header = { format: "todo-export", version: 1, user }
  const trailer: Trailer = { end: counts }
  return Stream.succeed(line(header)).pipe(
    Stream.concat(Stream.map(lists, (page) => page.map((list) => line({ list })).join(""))),
    Stream.concat(Stream.map(todos, (page) => page.map((todo) => line({ todo })).join(""))),
    Stream.concat(Stream.succeed(line(trailer)))
  )
}

const line = (document: unknown): string => `${JSON.stringify(document)}\n`
