/**
 * Optimisation: request batching. Calls of many users that arrive together share one statement, which runs the select
 * once for each call, as its user. Quick writes also share one commit, which costs as much as the write itself.
 *
 * Gains: create is 1.6 times as fast with 16 connections, and "list 50" 1.3 times with 100 connections.
 * Measure with `npm run bench -- create "list 50" todo`. To do without it, set `optimisations.requestBatching` to
 * `false`: `UserScope` then runs each call alone.
 */
import * as Effect from "effect/Effect"
import * as SqlClient from "effect/sql/SqlClient"
import { isSqlError } from "effect/sql/SqlError"
import type { Conflict, Unavailable } from "../domain/Errors.ts"
import {
  isStatementFailure,
  retryRead,
  retryWrite,
  type StatementError,
  toReadError,
  toWriteError
} from "./SqlErrors.ts"
import { optimisations } from "./optimisations.ts"
import { ConnectionQueue, queued } from "./ConnectionQueue.ts"
import { interruptAtOnce } from "./interruptAtOnce.ts"
import { batching, type BatchLimits } from "./RequestBatching.ts"
import * as UserScope from "./UserScope.ts"
import { asUser, forEachCall, type Row, type SelectOf } from "./UserScopeSql.ts"

/** Statements that can be batched. Parameters are sent as text. A call with a `null` parameter runs alone. */
export interface BatchedScope {
  /** A quick select without effects. Rows of a batch have the number of their call as an additional last column. */
  readonly read: <R extends Row>(
    select: SelectOf<R>,
    parameters: number,
    limits?: BatchLimits
  ) => UserScope.Statement<R, Unavailable>
  /** A quick write. `unlessLocked` returns no row if it would have to wait for a lock; the call then runs alone. */
  readonly write: <R extends Row>(
    select: SelectOf<R>,
    unlessLocked: SelectOf<R>,
    parameters: number
  ) => UserScope.Statement<R, Unavailable | Conflict>
}

/** The user and the parameters of a call. */
type Call = ReadonlyArray<string>

/** With two batches of writes at a time, create is 1.07 and patch 1.06 times as fast as with four. */
const writeLimits: BatchLimits = { batches: 2 }

/** Builds the batched scope on the host's `SqlClient`. */
export const make: Effect.Effect<BatchedScope, never, SqlClient.SqlClient> = Effect.gen(function* () {
  const scope = yield* UserScope.make
  if (!optimisations.requestBatching) {
    return { read: scope.read, write: scope.write } satisfies BatchedScope
  }
  const sql = yield* SqlClient.SqlClient
  const wait = queued(yield* ConnectionQueue)

  /** Runs a call in a batch. It runs alone in a transaction of the host, and if the batch returned `undefined` for it. */
  const inBatch =
    <R extends Row, E>(
      batch: (call: Call) => Effect.Effect<ReadonlyArray<R> | undefined, E>,
      alone: UserScope.Statement<R, E>
    ): UserScope.Statement<R, E> =>
    (...parameters) =>
      Effect.withFiber((fiber) => {
        if (UserScope.isInTransaction(sql, fiber) || parameters.includes(null)) return alone(...parameters)
        const user = UserScope.userOf(fiber)
        if (user === undefined) return UserScope.invalidUser
        return Effect.flatMap(batch([user, ...parameters.map(String)]), (rows) =>
          rows === undefined ? alone(...parameters) : Effect.succeed(rows)
        )
      })

  /** The rows of each call, or `undefined` for every call if the shared statement failed because of one of them. */
  const runAll = <R extends Row>(
    one: SelectOf<R>,
    many: SelectOf<R>,
    retry: <A>(self: Effect.Effect<A, StatementError>) => Effect.Effect<A, StatementError>
  ): ((calls: ReadonlyArray<Call>) => Effect.Effect<ReadonlyArray<ReadonlyArray<R> | undefined>, StatementError>) => {
    const run = (text: SelectOf<R>, parameters: ReadonlyArray<unknown>) => wait(UserScope.rowsOf(sql, text, parameters))
    return (calls) => {
      const [first = []] = calls
      if (calls.length === 1) return Effect.map(retry(run(one, first)), (rows) => [rows])
      const columns = first.map((_, n) => calls.map((call) => call[n]))
      return retry(
        Effect.matchEffect(run(many, columns), {
          onSuccess: (rows) => {
            const answers = calls.map((): Array<R> => [])
            for (const row of rows) answers[Number(row.at(-1)) - 1]?.push(row)
            return Effect.succeed(answers)
          },
          onFailure: (error) =>
            isSqlError(error) && isStatementFailure(error)
              ? Effect.succeed(calls.map(() => undefined))
              : Effect.fail(error)
        })
      )
    }
  }

  const made: BatchedScope = {
    read: (select, parameters, limits) => {
      const run = runAll(asUser(select), forEachCall(select, parameters), retryRead)
      const batch = batching((calls: ReadonlyArray<Call>) => interruptAtOnce(toReadError(run(calls))), limits)
      return inBatch(batch, scope.read(select))
    },
    write: (select, unlessLocked, parameters) => {
      const run = runAll(asUser(unlessLocked), forEachCall(unlessLocked, parameters), retryWrite)
      const batch = batching((calls: ReadonlyArray<Call>) => interruptAtOnce(toWriteError(run(calls))), writeLimits)
      const unlessWaiting = (call: Call) => Effect.map(batch(call), (rows) => (rows?.length === 0 ? undefined : rows))
      return inBatch(unlessWaiting, scope.write(select))
    }
  }
  return made
})
