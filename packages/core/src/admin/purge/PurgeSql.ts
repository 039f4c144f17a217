/**
 * The statements of a purge. What counts runs in `overAllUsers`; what deletes runs on behalf of one user, names that
 * user as `$1`, and comes after `lock`.
 */
import { forEachUser } from "../../database/UserScopeSql.ts"

/** For how long an idempotency key is good, as `write_once` has it. */
const expired = "created_at <= clock_timestamp() - interval '24 hours'"

/** When something was trashed that is old enough now; a century is as long as it gets. */
export const before = (schema: string) =>
  `select ${schema}.instant(clock_timestamp() - make_interval(secs => least($1::float8, 3e9)))`

/**
 * How much would go of each user (`$1` is when, `$2` the last id of the page before, `$3` the only user, if any): users
 * of whom nothing would go, too, so that the last id tells how far it got. A list waits for the last todo that is in it.
 */
export const count = (schema: string) => `select u.id, todos.n, lists.n, keys.n
from (
  select id from ${schema}.users where id > $2 and ($3::text is null or id = $3) order by id limit ${usersAtOnce} offset 0
) u ${forEachUser}
cross join lateral (
  select count(*)::int as n from ${schema}.todos where owner_id = me.id and deleted_at < $1::timestamptz offset 0
) todos
cross join lateral (
  select count(*)::int as n from ${schema}.lists l
  where owner_id = me.id and deleted_at < $1::timestamptz and not exists (
    select from ${schema}.todos
    where owner_id = me.id and list_id = l.id and (deleted_at < $1::timestamptz) is not true
  ) offset 0
) lists
cross join lateral (
  select count(*)::int as n from ${schema}.idempotency_keys where owner_id = me.id and ${expired} offset 0
) keys
order by u.id`

/** In one statement. */
export const usersAtOnce = 1_000

/** Takes the place in the queue that every write takes. Nothing where the user is gone. */
export const lock = (schema: string) => `select 1 from ${schema}.users where id = $1 for no key update`

/** Of each table in one transaction: the user's writes wait for no longer than that takes. */
export const rowsAtOnce = 50

/** In the statement that deletes `gone`, since whoever sees that the rows are gone has to see the horizon. */
const raised = (
  schema: string
) => `update ${schema}.users set horizon = greatest(horizon, (select max(revision) from gone))
  where id = $1 and exists (select from gone)`

/**
 * The next of a user's todos behind a position (`$3`), with their words: how many, and the last one's position. The
 * index of the trash gives them in order, so that those which stay are passed once.
 */
export const todos = (schema: string) => `with gone as (
  delete from ${schema}.todos where owner_id = $1 and id in (
    select id from ${schema}.todos where owner_id = $1 and deleted_at < $2::timestamptz and position > $3
    order by position limit ${rowsAtOnce}
  ) returning id, position, revision, title_words || description_words as words
), user_of as (
  ${raised(schema)}
)
select count(*)::int, max(position) from gone cross join lateral ${schema}.index_words($1, id, words, null)`

/** Some of a user's lists that no todo is in any more: how many. */
export const lists = (schema: string) => `with gone as (
  delete from ${schema}.lists where owner_id = $1 and id in (
    select id from ${schema}.lists l where owner_id = $1 and deleted_at < $2::timestamptz
      and not exists (select from ${schema}.todos where owner_id = $1 and list_id = l.id)
    limit ${rowsAtOnce}
  ) returning revision
), user_of as (
  ${raised(schema)}
)
select count(*)::int from gone`

/** Some of a user's idempotency keys that are good no more: how many. */
export const keys = (schema: string) => `with gone as (
  delete from ${schema}.idempotency_keys where owner_id = $1 and key in (
    select key from ${schema}.idempotency_keys where owner_id = $1 and ${expired} limit ${rowsAtOnce}
  ) returning 1
)
select count(*)::int from gone`
