/**
 * How PostgreSQL learns on whose behalf a statement runs. This is the only file that sets `todo.user_id`, which the
 * policies of row-level security compare with the owner, and `todo.operator`, with which the owner of the tables sees
 * who there is.
 *
 * A select sees the user as `me.id` and its own parameters from `$2` on.
 */

/**
 * Sets the user and runs a select, in one statement and one round trip. The lateral select needs the row of `me`, so the
 * setting is there before any policy is asked (`offset 0` keeps the planner from merging the two). It ends with the
 * statement, so the next user of the connection cannot inherit it, also behind a transaction pooler. If the order were
 * ever wrong, the answer would be empty. A common table expression or a scalar subquery instead finds nothing, because
 * the planner asks the policy first.
 *
 * 33.4k reads a second, 33.5k without row-level security, 9.5k as BEGIN, set_config, select, COMMIT.
 */
export const asUser = (select: string): string =>
  `select t.* from (select set_config('todo.user_id', $1, true) as id offset 0) me
cross join lateral (${select} offset 0) t`

/**
 * The same inside a transaction of the host, where the setting would last until its end: the statement also restores the
 * value from before. It is still one statement, so no other can come in between, and PostgreSQL takes the setting back by
 * itself if it fails. Data dependencies fix the order: `me` needs the row of `earlier`, the count needs all rows of
 * `found`, and no row leaves before the setting is restored.
 */
export const asUserInTransaction = (select: string): string => `with earlier as materialized (
  select coalesce(current_setting('todo.user_id', true), '') as id
), found as materialized (
  select t.* from (select set_config('todo.user_id', $1, true) as id from earlier offset 0) me
  cross join lateral (${select} offset 0) t
), restored as materialized (
  select set_config('todo.user_id', earlier.id, true) as id
  from earlier cross join (select count(*) as rows from found offset 0) read where rows >= 0
)
select f.* from restored cross join lateral (select found.* from found where restored.id is not null offset 0) f`

/** Runs the select once for each row of `given`, as the user of that row. A lateral join runs row by row. */
const forEach = (given: string, select: string, columns = "t.*"): string => `select ${columns} from ${given}
cross join lateral (select set_config('todo.user_id', given.id, true) as id offset 0) me
cross join lateral (${select} offset 0) t`

/**
 * An array whose length the planner does not see. If it saw the length, it would think a new plan for the next parameters
 * cheaper than the one that it keeps, and plan each time, for 80 µs.
 */
const ofUnseenLength = (parameter: number): string => `(select $${parameter}::text[])`

/** The select once for each of many users (`$1`), each with a number (`$2`), which the select sees as `given.seen`. */
export const forEachOfMany = (select: string): string =>
  forEach(`unnest(${ofUnseenLength(1)}, ${ofUnseenLength(2)}::bigint[]) given (id, seen)`, select)

/**
 * The select once for each of many calls. Behind its columns comes the number of the call, from 1 on. The condition on
 * that number keeps PostgreSQL from taking the calls of one user for the same and copying all rows for the next one
 * (`Memoize`), which costs 20 µs a page.
 */
export const forEachCall = (select: string, parameters: number): string => {
  const numbers = Array.from({ length: parameters }, (_, n) => n + 2)
  const own = select.replaceAll("$", "given.p")
  const given = `unnest(${[1, ...numbers].map(ofUnseenLength).join(", ")}) with ordinality
given (id, ${numbers.map((n) => `p${n}, `).join("")}call)`
  return forEach(given, `select one.* from (${own} offset 0) one where given.call > 0`, "t.*, given.call::int")
}

/** Sets the user (`$1`) until the end of the transaction. */
export const setUser = "select set_config('todo.user_id', $1, true)"

/** Lets the owner of the tables see every row of `users`, and no row of another table, until the end of the transaction. */
export const setOperator = "select set_config('todo.operator', 'on', true)"

/** Joined to rows `u` of `users`, makes each the user `me` on whose behalf the laterals behind it read. */
export const forEachUser = "cross join lateral (select set_config('todo.user_id', u.id, true) as id offset 0) me"
