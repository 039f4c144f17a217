/**
 * How PostgreSQL learns on whose behalf a statement runs: the one place that sets
 * `todo.user_id`, which the policies of row-level security compare with the owner, and
 * `todo.operator`, with which the owner of the tables sees who there is.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as SqlClient from "effect/sql/SqlClient"
import { isSqlError, type SqlError } from "effect/sql/SqlError"
import type { Conflict, Unavailable } from "../domain/Errors.ts"
import { CurrentUser, UserId } from "../domain/User.ts"
import { abandonable } from "./Abandonable.ts"
import { type Pace, together } from "./Together.ts"
import { inTurn, inTurnOf, makeQueue, Turns } from "./Turns.ts"
import {
  isOfStatement,
  retryRead,
  retryTransaction,
  retryWrite,
  type StatementError,
  toReadError,
  toTransactionError,
  toWriteError
} from "./SqlFailure.ts"

type Rows = ReadonlyArray<ReadonlyArray<unknown>>

/** A user, and the parameters of a statement. */
type Call = ReadonlyArray<string>

const isUserId = Schema.is(UserId)

/** Two ids that are not well-formed could become one on the wire. */
const userOf = ({ context }: Fiber.Fiber<unknown, unknown>): UserId | undefined => {
  const { id } = Context.getUnsafe(context, CurrentUser)
  return isUserId(id) ? id : undefined
}

const nobody = Effect.die(new Error("CurrentUser has no valid id"))

/** How many statements may go before those that wait for a connection, at once. */
const readsAhead = 4

/** Of fewer transactions each is of more writes: create 1.07, patch 1.06 times as fast as with four. */
const writePace: Pace = { runs: 2 }

/** Runs its statement for the current user. Each row is an array of its columns. */
type Scoped<E> = (...parameters: ReadonlyArray<unknown>) => Effect.Effect<Rows, E, CurrentUser>

export interface UserScope {
  /** A statement without effects. */
  readonly read: (select: string) => Scoped<Unavailable>
  /**
   * The same for what is quickly read and often asked for: calls of many users go in one
   * statement, in which the select runs once for each of them, as its user. Its parameters
   * are texts; with a null, a call goes by itself. A row can have one more column, behind its own.
   */
  readonly readTogether: (select: string, parameters: number, pace?: Pace) => Scoped<Unavailable>
  /** The same for what many requests need before they begin: it does not queue behind them for a connection. */
  readonly readAhead: (select: string) => Scoped<Unavailable>
  /** A statement that calls one of the write functions, and so is a transaction in itself. */
  readonly write: (select: string) => Scoped<Unavailable | Conflict>
  /**
   * The same for what is quickly written: calls of many users go in one transaction, for to
   * commit costs as much as to write. There it is another select, which gives no row where
   * it would have to wait for others; such a call goes by itself.
   */
  readonly writeTogether: (select: string, unlessBusy: string, parameters: number) => Scoped<Unavailable | Conflict>
  /**
   * A statement without effects for many users in one round trip, each with a number
   * (`given.seen`). It runs once for each of them, as that user, and sees that user's rows.
   */
  readonly readEach: (
    select: string
  ) => (users: ReadonlyArray<UserId>, seen: ReadonlyArray<number>) => Effect.Effect<Rows, Unavailable>
  /**
   * Statements of which all happen or none: a transaction, which is begun again where others
   * got in its way, or in one of the host a savepoint, where that is up to the host.
   */
  readonly atomically: <A, E, R>(
    self: Effect.Effect<A, E, R>
  ) => Effect.Effect<A, Exclude<E, SqlError> | Unavailable | Conflict, R>
}

/**
 * Makes statements that set the user and run a select at once. The select sees the user
 * as `me.id` and its own parameters from `$2` on.
 *
 * It depends on the row that sets the user, so the setting is there before any policy is
 * asked (`offset 0` keeps the planner from merging the two), and it is gone with the
 * statement: nobody inherits it, also behind a transaction pooler. Were the order ever
 * wrong, the answer would be empty. A CTE or a scalar subquery in its place finds
 * nothing. As fast as no row-level security at all (33.4k/s and 33.5k/s; BEGIN,
 * set_config, select, COMMIT: 9.5k/s).
 *
 * In a transaction of the host the setting would last until its end, so there the
 * statement also puts back what was set before (`restoring`); and nothing is repeated,
 * for that is up to the host.
 */
export const make: Effect.Effect<UserScope, never, SqlClient.SqlClient> = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const queue = yield* Turns
  const whenFree = inTurn(queue)
  const ahead = inTurn(queue && makeQueue(readsAhead))
  const ofItsUser = (user: string | undefined) => inTurnOf(queue, user ?? "")

  const isInTransaction = ({ context }: Fiber.Fiber<unknown, unknown>): boolean =>
    Context.getOrUndefined(context, sql.transactionService) !== undefined

  const statement =
    <E>(
      select: string,
      retry: (self: Effect.Effect<Rows, StatementError>) => Effect.Effect<Rows, StatementError>,
      named: (self: Effect.Effect<Rows, StatementError>) => Effect.Effect<Rows, E>,
      inQueue: (user: string) => typeof whenFree = () => whenFree
    ): Scoped<E> =>
    (...parameters) =>
      Effect.withFiber((fiber) => {
        const id = userOf(fiber)
        if (id === undefined) return nobody
        const inTransaction = isInTransaction(fiber)
        const text = inTransaction ? restoring(select) : alone(select)
        const rows = sql.unsafe(text, [id, ...parameters]).values
        // Each attempt takes a turn of its own: the pauses between them keep nobody from a connection.
        return named(inTransaction ? rows : abandonable(retry(inQueue(id)(rows))))
      })

  /** Of calls that go together those that are not answered go by themselves, as all do in a transaction of the host. */
  const gathered =
    <E>(all: (call: Call) => Effect.Effect<Rows | undefined, E>, apart: Scoped<E>): Scoped<E> =>
    (...parameters) =>
      Effect.withFiber((fiber) => {
        if (isInTransaction(fiber) || parameters.includes(null)) return apart(...parameters)
        const id = userOf(fiber)
        if (id === undefined) return nobody
        return Effect.flatMap(all([id, ...parameters.map(String)]), (rows) =>
          rows === undefined ? apart(...parameters) : Effect.succeed(rows)
        )
      })

  /** The rows of each call; none where what one of them asks for, or met, made the statement of many fail. */
  const inOne = (
    one: string,
    many: string,
    retry: <A>(self: Effect.Effect<A, StatementError>) => Effect.Effect<A, StatementError>
  ): ((calls: ReadonlyArray<Call>) => Effect.Effect<ReadonlyArray<Rows | undefined>, StatementError>) => {
    const run = (text: string, parameters: ReadonlyArray<unknown>) => whenFree(sql.unsafe(text, parameters).values)
    return (calls) => {
      const [first = []] = calls
      if (calls.length === 1) return Effect.map(retry(run(one, first)), (rows) => [rows])
      const columns = first.map((_, n) => calls.map((call) => call[n]))
      return retry(
        Effect.matchEffect(run(many, columns), {
          onSuccess: (rows) => {
            const answers = calls.map((): Array<ReadonlyArray<unknown>> => [])
            for (const row of rows) answers[Number(row.at(-1)) - 1]?.push(row)
            return Effect.succeed(answers)
          },
          onFailure: (error) =>
            isSqlError(error) && isOfStatement(error) ? Effect.succeed(calls.map(() => undefined)) : Effect.fail(error)
        })
      )
    }
  }

  return {
    read: (select) => statement(select, retryRead, toReadError),
    readTogether: (select, parameters, pace) => {
      const run = inOne(alone(select), forEachCall(select, parameters), retryRead)
      const all = together((calls: ReadonlyArray<Call>) => abandonable(toReadError(run(calls))), pace)
      return gathered(all, statement(select, retryRead, toReadError))
    },
    readAhead: (select) => statement(select, retryRead, toReadError, () => ahead),
    write: (select) => statement(select, retryWrite, toWriteError, ofItsUser),
    writeTogether: (select, unlessBusy, parameters) => {
      const run = inOne(alone(unlessBusy), forEachCall(unlessBusy, parameters), retryWrite)
      const all = together((calls: ReadonlyArray<Call>) => abandonable(toWriteError(run(calls))), writePace)
      const answered = (call: Call) => Effect.map(all(call), (rows) => (rows?.length === 0 ? undefined : rows))
      return gathered(answered, statement(select, retryWrite, toWriteError, ofItsUser))
    },
    readEach: (select) => {
      const text = forEach(`unnest(${unseen(1)}, ${unseen(2)}::bigint[]) given (id, seen)`, select)
      return (users, seen) => abandonable(toReadError(sql.unsafe(text, [users, seen.map(String)]).values))
    },
    atomically: (self) =>
      Effect.withFiber((fiber) => {
        const whole = sql.withTransaction(self)
        return toTransactionError(
          isInTransaction(fiber) ? whole : abandonable(retryTransaction(ofItsUser(userOf(fiber))(whole)))
        )
      })
  }
})

const alone = (select: string) => `select t.* from (select set_config('todo.user_id', $1, true) as id offset 0) me
cross join lateral (${select} offset 0) t`

/** The select once for each row of `given`, as the user of that row: a lateral runs row by row, after `me` of its row. */
const forEach = (given: string, select: string, columns = "t.*") => `select ${columns} from ${given}
cross join lateral (select set_config('todo.user_id', given.id, true) as id offset 0) me
cross join lateral (${select} offset 0) t`

/**
 * An array whose length the planner does not see. By that of one run it would think a plan for its next parameters
 * cheaper than the one that it keeps, and make one each time, for 80 µs.
 */
const unseen = (parameter: number) => `(select $${parameter}::text[])`

/**
 * The select once for each of many calls; behind its columns the number of the call, from 1 on. Each asks for its number
 * too: else PostgreSQL takes the calls of one user for the same, and keeps a copy of all rows for the next (`Memoize`),
 * which takes it 20 µs a page.
 */
const forEachCall = (select: string, parameters: number) => {
  const numbers = Array.from({ length: parameters }, (_, n) => n + 2)
  const own = select.replaceAll("$", "given.p")
  const given = `unnest(${[1, ...numbers].map(unseen).join(", ")}) with ordinality
given (id, ${numbers.map((n) => `p${n}, `).join("")}call)`
  return forEach(given, `select one.* from (${own} offset 0) one where given.call > 0`, "t.*, given.call::int")
}

/**
 * One statement again, so that no other of the transaction can come in between, and
 * PostgreSQL takes the setting back by itself where the statement fails. The order is that
 * of what is needed: `me` needs the row of `earlier`, the count needs all rows that `me`
 * selects, and no row is given out before the setting is what it was.
 */
const restoring = (select: string) => `with earlier as materialized (
  select coalesce(current_setting('todo.user_id', true), '') as id
), found as materialized (
  select t.* from (select set_config('todo.user_id', $1, true) as id from earlier offset 0) me
  cross join lateral (${select} offset 0) t
), restored as materialized (
  select set_config('todo.user_id', earlier.id, true) as id
  from earlier cross join (select count(*) as rows from found offset 0) read where rows >= 0
)
select f.* from restored cross join lateral (select found.* from found where restored.id is not null offset 0) f`

/** For operators: a transaction on behalf of one user, of as many statements as it takes. */
export const onBehalfOf =
  (user: UserId) =>
  <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E | SqlError, R | SqlClient.SqlClient> =>
    Effect.flatMap(SqlClient.SqlClient, (sql) =>
      sql.withTransaction(Effect.andThen(sql`select set_config('todo.user_id', ${user}, true)`.values, self))
    )

/**
 * For operators: a transaction that sees the row of every user in `users`, and no row of
 * another table until it acts for its owner. Only the owner of the tables gets that far.
 */
export const overAllUsers = <A, E, R>(
  self: Effect.Effect<A, E, R>
): Effect.Effect<A, E | SqlError, R | SqlClient.SqlClient> =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    sql.withTransaction(Effect.andThen(sql`select set_config('todo.operator', 'on', true)`.values, self))
  )

/** Joined to rows `u` of `users`, makes each the user `me` on whose behalf the laterals behind it read. */
export const forEachUser = "cross join lateral (select set_config('todo.user_id', u.id, true) as id offset 0) me"
