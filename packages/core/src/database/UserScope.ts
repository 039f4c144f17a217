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
import { asUser, asUserInTransaction, forEachOfMany } from "./UserScopeSql.ts"

/** Rows as arrays of their columns, in the order of the select. */
export type Rows = ReadonlyArray<ReadonlyArray<unknown>>

/** Runs a statement for the current user. The parameters are `$2` and following. */
export type Statement<E> = (...parameters: ReadonlyArray<unknown>) => Effect.Effect<Rows, E, CurrentUser>

/**
 * The ways to run a statement. Transient failures are retried if that is safe. In a transaction of the host nothing is
 * retried, because only the host can start its transaction again.
 */
export interface UserScope {
  /** A select without effects. */
  readonly read: (select: string) => Statement<Unavailable>
  /** A select that every request needs first. It has a connection queue of its own. */
  readonly readPriority: (select: string) => Statement<Unavailable>
  /** A call of one of the write functions, which set the user themselves. It is a transaction in itself. */
  readonly write: (call: string) => Statement<Unavailable | Conflict>
  /** A select without effects that runs once for each of many users, as that user, in one round trip. */
  readonly readEach: (
    select: string
  ) => (users: ReadonlyArray<UserId>, seen: ReadonlyArray<number>) => Effect.Effect<Rows, Unavailable>
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

type Transform = (self: Effect.Effect<Rows, StatementError>) => Effect.Effect<Rows, StatementError>

/** Builds the scope on the host's `SqlClient`. */
export const make: Effect.Effect<UserScope, never, SqlClient.SqlClient> = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const queue = yield* ConnectionQueue

  const statement =
    <E>(
      alone: string,
      within: string,
      retry: Transform,
      toError: (self: Effect.Effect<Rows, StatementError>) => Effect.Effect<Rows, E>,
      wait: (user: UserId) => Transform
    ): Statement<E> =>
    (...parameters) =>
      Effect.withFiber((fiber) => {
        const user = userOf(fiber)
        if (user === undefined) return invalidUser
        const inTransaction = isInTransaction(sql, fiber)
        const rows = sql.unsafe(inTransaction ? within : alone, [user, ...parameters]).values
        // Each attempt queues for a connection again, so no connection is held during the pauses between attempts.
        return toError(inTransaction ? rows : interruptAtOnce(retry(wait(user)(rows))))
      })

  const read = (select: string, wait: Transform) =>
    statement(asUser(select), asUserInTransaction(select), retryRead, toReadError, () => wait)

  return {
    read: (select) => read(select, queued(queue)),
    readPriority: (select) => read(select, priorityQueued(queue)),
    write: (call) => statement(call, call, retryWrite, toWriteError, (user) => queuedAsWriter(queue, user)),
    readEach: (select) => {
      const text = forEachOfMany(select)
      return (users, seen) => interruptAtOnce(toReadError(sql.unsafe(text, [users, seen.map(String)]).values))
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
