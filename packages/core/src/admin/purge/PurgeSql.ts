/**
 * The statements of a purge. `count` runs in `overAllUsers`. Deletions run on behalf of one user, who is `$1`, after `lock`.
 */
import type { UserId } from "../../domain/User.ts"
import { storedWords } from "../../todos/SearchWords.ts"
import { forEachUser } from "../../database/UserScopeSql.ts"
import { keyLifetime } from "../../writes/keyLifetime.ts"
import type { QuotedSchema } from "../../schema/SchemaName.ts"

const expired = `created_at <= clock_timestamp() - ${keyLifetime}`

/** Rows that were trashed before this time are old enough. */
export interface PurgeTime {
  readonly before: string
}

/** `$1` is the age in seconds, at most a century. */
export const purgeTime = (schema: QuotedSchema) =>
  /* sql */ `select ${schema}.instant(clock_timestamp() - make_interval(secs => least($1::float8, 3e9))) as before`

/** The number of a user's rows that a purge removes. */
export interface Purgeable {
  readonly id: UserId
  readonly todos: number
  readonly lists: number
  readonly keys: number
}

/**
 * The number of rows to remove for each user, one page of users. `$1` is the time, `$2` the last id of the page before,
 * `$3` a single user or null. Users without such rows are included, because the last id is the cursor. A list is only
 * removed after its last todo.
 */
export const count = (
  schema: QuotedSchema
) => /* sql */ `select u.id, todos.n as todos, lists.n as lists, keys.n as keys
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

/** The number of users that one `count` looks at. */
export const usersAtOnce = 1_000

/** Locks the row of the user, as every write does. It returns no row if the user does not exist. */
export const lock = (schema: QuotedSchema) => /* sql */ `select id from ${schema}.users where id = $1 for no key update`

/** The number of rows of each table that one transaction removes. It limits how long writes of the user wait. */
export const rowsAtOnce = 50

/** Raises the horizon in the statement that deletes the rows, so that readers see both changes or neither. */
const raiseHorizon = (
  schema: QuotedSchema
) => /* sql */ `update ${schema}.users set horizon = greatest(horizon, (select max(revision) from deleted))
  where id = $1 and exists (select from deleted)`

export interface Deleted {
  readonly rows: number
}

export interface DeletedTodos extends Deleted {
  /** The position of the last one. */
  readonly last: string | null
}

/**
 * Deletes the next todos of the user after a position (`$3`), with their words. Returns their number and the position of
 * the last one. The index of the trash returns todos in order, so those that stay are read only once.
 */
export const deleteTodos = (schema: QuotedSchema) => /* sql */ `with deleted as (
  delete from ${schema}.todos where owner_id = $1 and id in (
    select id from ${schema}.todos where owner_id = $1 and deleted_at < $2::timestamptz and position > $3
    order by position limit ${rowsAtOnce}
  ) returning id, position, revision, ${storedWords("todos")} as words
), raised_horizon as (
  ${raiseHorizon(schema)}
)
select count(*)::int as rows, max(position) as last from deleted cross join lateral ${schema}.replace_words($1, id, words, '{}')`

/** Deletes some empty lists of the user. Returns their number. */
export const deleteLists = (schema: QuotedSchema) => /* sql */ `with deleted as (
  delete from ${schema}.lists where owner_id = $1 and id in (
    select id from ${schema}.lists l where owner_id = $1 and deleted_at < $2::timestamptz
      and not exists (select from ${schema}.todos where owner_id = $1 and list_id = l.id)
    limit ${rowsAtOnce}
  ) returning revision
), raised_horizon as (
  ${raiseHorizon(schema)}
)
select count(*)::int as rows from deleted`

/** Deletes some expired idempotency keys of the user. Returns their number. */
export const deleteKeys = (schema: QuotedSchema) => /* sql */ `with deleted as (
  delete from ${schema}.idempotency_keys where owner_id = $1 and key in (
    select key from ${schema}.idempotency_keys where owner_id = $1 and ${expired} limit ${rowsAtOnce}
  ) returning 1
)
select count(*)::int as rows from deleted`
