/**
 * Tells PostgreSQL for which user a select runs, by `todo.user_id`, which the policies of row-level security compare with
 * the owner. The write functions set it themselves (`schema/functions/write.ts`). No other file does. This file also sets
 * `todo.operator`, which lets the owner of the tables list users.
 *
 * A select names the user as `$1`, as in `owner_id = $1`. Its own parameters begin with `$2`.
 */

/** The columns of a row, in the order of the select. */
export type Row = ReadonlyArray<unknown>

/** The text of a statement whose rows have the columns `R`, in this order. It exists for the compiler only. */
export type SelectOf<R extends Row> = string & { readonly row?: R }

/**
 * Sets the user and runs a select, in one statement and one round trip. The select is gated by the row of `me`, so the
 * setting exists before PostgreSQL evaluates a policy (`offset 0` keeps the planner from merging the two). The setting
 * ends with the statement, so the next user of the connection cannot inherit it, even behind a transaction pooler. If the
 * order were ever wrong, the result would be empty. A common table expression or a scalar subquery would not work here,
 * because PostgreSQL evaluates the policy first.
 *
 * The select itself has `owner_id = $1`: a router, such as Citus, sends the statement to the machine of the user by it.
 *
 * Speed: 33.4k reads a second; 33.5k without row-level security; 9.5k with BEGIN, set_config, select and COMMIT.
 */
export const asUser = <R extends Row>(
  select: SelectOf<R>
): SelectOf<R> => /* sql */ `select t.* from (select set_config('todo.user_id', $1, true) as id offset 0) me
cross join lateral (select s.* from (${select}) s where me.id = $1 offset 0) t`

/**
 * `asUser` for a transaction of the host, where the setting would last until the end of the transaction. The statement also
 * restores the earlier value. It is one statement, so no other can run in between, and if it fails, PostgreSQL rolls the
 * setting back. Data dependencies fix the order: `me` needs the row of `earlier`, the count needs all rows of `found`, and
 * rows are returned only after the setting is restored.
 */
export const asUserInTransaction = <R extends Row>(
  select: SelectOf<R>
): SelectOf<R> => /* sql */ `with earlier as materialized (
  select coalesce(current_setting('todo.user_id', true), '') as id
), found as materialized (
  select t.* from (select set_config('todo.user_id', $1, true) as id from earlier offset 0) me
  cross join lateral (select s.* from (${select}) s where me.id = $1 offset 0) t
), restored as materialized (
  select set_config('todo.user_id', earlier.id, true) as id
  from earlier cross join (select count(*) as rows from found offset 0) read where rows >= 0
)
select f.* from restored cross join lateral (select found.* from found where restored.id is not null offset 0) f`

/** Runs the select once for each row of `calls`, as the user of that row. A lateral join runs row by row. */
const forEach = (calls: string, select: string, columns = "t.*"): string => `select ${columns} from ${calls}
cross join lateral (select set_config('todo.user_id', calls.id, true) as id offset 0) me
cross join lateral (${select} offset 0) t`

/**
 * An array whose length is hidden from the planner. If the planner saw the length, it would estimate that a custom plan is
 * cheaper than the generic one, and would plan every execution again, which takes 80 µs.
 */
const ofHiddenLength = (parameter: number): string => `(select $${parameter}::text[])`

/** Runs the select once for each of many users (`$1`), each with a number (`$2`). In the select the number is `calls.seen`. */
export const forEachOfMany = <R extends Row>(select: SelectOf<R>): SelectOf<R> =>
  forEach(
    `unnest(${ofHiddenLength(1)}, ${ofHiddenLength(2)}::bigint[]) calls (id, seen)`,
    select.replaceAll(/\$1\b/g, "me.id")
  )

/**
 * Runs the select once for each of many calls. Rows have the number of their call, from 1, as an additional last column.
 * The condition on that number prevents a `Memoize` node, which would copy the rows of each call to reuse them for the same
 * user. The copy would cost 20 µs a page.
 */
export const forEachCall = <R extends Row>(select: SelectOf<R>, parameters: number): SelectOf<R> => {
  const numbers = Array.from({ length: parameters }, (_, n) => n + 2)
  const own = select.replaceAll(/\$(\d+)/g, (_, n) => (n === "1" ? "me.id" : `calls.p${n}`))
  const calls = `unnest(${[1, ...numbers].map(ofHiddenLength).join(", ")}) with ordinality
calls (id, ${numbers.map((n) => `p${n}, `).join("")}number)`
  return forEach(calls, `select one.* from (${own} offset 0) one where calls.number > 0`, "t.*, calls.number::int")
}

/** Sets the user (`$1`) until the end of the transaction. */
export const setUser = "select set_config('todo.user_id', $1, true)"

/** Lets the owner of the tables see every row of `users`, and no row of another table, until the end of the transaction. */
export const setOperator = "select set_config('todo.operator', 'on', true)"

/** For a join with rows `u` of `users`: the lateral selects after it run as the user of each row. */
export const forEachUser = "cross join lateral (select set_config('todo.user_id', u.id, true) as id offset 0) me"
