/** Runs statements as the current user. `UserScopeSql.ts` shows the form of such a statement and explains why it is safe. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import type { Conflict, Unavailable } from "../domain/Errors.ts"
import { CurrentUser, UserId } from "../domain/User.ts"
import {
  retryRead,
  retryTransaction,
  retryWrite,
  type StatementError,
  toReadError,
  toTransactionError,
  toWriteError
} from "./SqlErrors.ts"
import { ConnectionQueue, queued, priorityQueued, queuedAsWriter } from "./ConnectionQueue.ts"
import { interruptAtOnce } from "./interruptAtOnce.ts"
import { asUser, asUserInTransaction, forEachOfMany, type Row, type SelectOf } from "./UserScopeSql.ts"

/** Runs a statement for the current user. The parameters are `$2` and following. */
export type Statement<R extends Row, E> = (
  ...parameters: ReadonlyArray<unknown>
) => Effect.Effect<ReadonlyArray<R>, E, CurrentUser>

/**
 * The ways to run a statement. Transient failures are retried if that is safe. In a transaction of the host nothing is
 * retried, because only the host can start its transaction again.
 */
export interface UserScope {
  /** A select without effects. */
  readonly read: <R extends Row>(select: SelectOf<R>) => Statement<R, Unavailable>
  /** A select that every request needs first. It has a connection queue of its own. */
  readonly readPriority: <R extends Row>(select: SelectOf<R>) => Statement<R, Unavailable>
  /** A call of one of the write functions, which set the user themselves. It is a transaction in itself. */
  readonly write: <R extends Row>(call: SelectOf<R>) => Statement<R, Unavailable | Conflict>
  /** A select without effects that runs once for each of many users, as that user, in one round trip. */
  readonly readEach: <R extends Row>(
    select: SelectOf<R>
  ) => (users: ReadonlyArray<UserId>, seen: ReadonlyArray<number>) => Effect.Effect<ReadonlyArray<R>, Unavailable>
  /** Runs several statements as a transaction, or as a savepoint inside a transaction of the host. */
  readonly atomically: <A, E, R>(
    self: Effect.Effect<A, E, R>
  ) => Effect.Effect<A, Exclude<E, SqlError> | Unavailable | Conflict, R>
}

const isUserId = Schema.is(UserId)

/** The id of the current user, if it is well formed. Two malformed ids could become the same bytes on the wire. */
export const userOf = ({ context }: Fiber.Fiber<unknown, unknown>): UserId | undefined => {
  const { id } = Context.getUnsafe(context, CurrentUser)
  return isUserId(id) ? id : undefined
}

/** Without a valid user nothing is sent. This is a defect of the host. */
export const invalidUser = Effect.die(new Error("CurrentUser has no valid id"))

/**
 * Runs a statement. The compiler cannot see that PostgreSQL returns the columns `R`: this is the only cast of rows that are
 * read by position.
 */
export const rowsOf = <R extends Row>(
  sql: SqlClient.SqlClient,
  text: SelectOf<R>,
  parameters: ReadonlyArray<unknown>
): Effect.Effect<ReadonlyArray<R>, SqlError> =>
  sql.unsafe(text, parameters).values as Effect.Effect<ReadonlyArray<Row>, SqlError> as Effect.Effect<
    ReadonlyArray<R>,
    SqlError
  >

/** Adds something to a statement, such as retries, and keeps its rows. */
type Transform = <A>(self: Effect.Effect<A, StatementError>) => Effect.Effect<A, StatementError>

/** A statement, and the ways to run it. */
interface StatementOptions<R extends Row, E> {
  /** Its text outside of a transaction of the host. */
  readonly alone: SelectOf<R>
  /** Its text inside a transaction of the host. */
  readonly within: SelectOf<R>
  readonly retry: Transform
  /** Waits for a connection. */
  readonly wait: (user: UserId) => Transform
  readonly toError: (self: Effect.Effect<ReadonlyArray<R>, StatementError>) => Effect.Effect<ReadonlyArray<R>, E>
}

/** Builds the scope on the host's `SqlClient`. */
export const make: Effect.Effect<UserScope, never, SqlClient.SqlClient> = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const queue = yield* ConnectionQueue

  const statement =
    <R extends Row, E>({ alone, retry, toError, wait, within }: StatementOptions<R, E>): Statement<R, E> =>
    (...parameters) =>
      Effect.withFiber((fiber) => {
        const user = userOf(fiber)
        if (user === undefined) return invalidUser
        const inTransaction = isInTransaction(sql, fiber)
        const rows = rowsOf(sql, inTransaction ? within : alone, [user, ...parameters])
        // Each attempt queues for a connection again, so no connection is held during the pauses between attempts.
        return toError(inTransaction ? rows : interruptAtOnce(retry(wait(user)(rows))))
      })

  // One queue for all statements of this kind.
  const priority = priorityQueued(queue)
  const read = <R extends Row>(select: SelectOf<R>, wait: Transform) =>
    statement({
      alone: asUser(select),
      within: asUserInTransaction(select),
      retry: retryRead,
      wait: () => wait,
      toError: toReadError
    })

  return {
    read: (select) => read(select, queued(queue)),
    readPriority: (select) => read(select, priority),
    write: (call) =>
      statement({
        alone: call,
        within: call,
        retry: retryWrite,
        wait: (user) => queuedAsWriter(queue, user),
        toError: toWriteError
      }),
    readEach: (select) => {
      const text = forEachOfMany(select)
      return (users, seen) => interruptAtOnce(toReadError(rowsOf(sql, text, [users, seen.map(String)])))
    },
    atomically: (self) =>
      Effect.withFiber((fiber) => {
        const whole = sql.withTransaction(self)
        const wait = queuedAsWriter(queue, userOf(fiber) ?? "")
        return toTransactionError(isInTransaction(sql, fiber) ? whole : interruptAtOnce(retryTransaction(wait(whole))))
      })
  }
})

/** Whether the host has a transaction open on this client. */
export const isInTransaction = (sql: SqlClient.SqlClient, { context }: Fiber.Fiber<unknown, unknown>): boolean =>
  Context.getOrUndefined(context, sql.transactionService) !== undefined
