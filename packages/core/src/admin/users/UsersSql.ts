/** The statements about users, for operators. Statements about several users run in `overAllUsers`. */
import * as AccountsSql from "../../accounts/AccountsSql.ts"
import {
  direction,
  type Key,
  type Order,
  ordered,
  type PageSelect,
  parameters,
  sortValue
} from "../../database/KeysetPage.ts"
import { forEachUser, type SelectOf } from "../../database/UserScopeSql.ts"
import type { UserQuery, UserSort } from "./UserQuery.ts"
import type { QuotedSchema } from "../../schema/SchemaName.ts"

type Column = Exclude<UserSort, `-${string}`>

/** Only the order by id uses an index. Other orders read all users for each page, and `size` also counts all todos. */
const orders: Record<Column, Order> = {
  id: { column: "id", type: "text", unique: true },
  size: { column: "size", type: "bigint", idType: "text" },
  updatedAt: { column: "written_at", type: "timestamptz", idType: "text" },
  createdAt: { column: "created_at", type: "timestamptz", idType: "text" }
}

const conditions = (query: UserQuery) => (query.disabled === true ? ["disabled_at is not null"] : ["true"])

/** The number of matching users. */
export const count = (schema: QuotedSchema, query: UserQuery): SelectOf<readonly [total: number]> =>
  /* sql */ `select count(*)::int as total from ${schema}.users where ${conditions(query).join(" and ")}`

/** One page of users after a key. Columns: sort value, id, and the fields of `User` as JSON. */
export const list = (schema: QuotedSchema, query: UserQuery, limit: number, after: Key | undefined): PageSelect => {
  const { add, values } = parameters(1)
  const [sort, descending] = direction<Column>(query.sort ?? "id")
  const { begin, orderBy } = ordered(orders[sort], descending, after, add)
  return {
    text: /* sql */ `select value, id, item::text as item from (
  select u.*, ${userJson(schema)} as item
  from (
    select *, ${sortValue(schema, orders[sort])} as value from ${sort === "size" ? sized(schema) : `${schema}.users`}
    where ${[...conditions(query), ...begin].join(" and ")}
    order by ${orderBy} limit ${add(Number.isFinite(limit) ? limit : null)}::bigint offset 0
  ) u ${accounts(schema)}
) users order by ${orderBy}`,
    parameters: values
  }
}

/** Users with their number of todos, counted from an index. */
const sized = (schema: QuotedSchema) => `(
      select u.*, held.size from ${schema}.users u ${forEachUser}
      cross join lateral (select count(*) as size from ${schema}.todos where owner_id = me.id offset 0) held
    ) users`

/** Joins users `u` with the account that each of them sees. */
const accounts = (schema: QuotedSchema) =>
  `${forEachUser}
  cross join lateral (${AccountsSql.me(schema, "me.id")} offset 0) account`

const userJson = (schema: QuotedSchema) => `json_build_object(
    'id', u.id,
    'revision', u.revision,
    'counts', json_build_object(
      'open', account.open, 'completed', account.completed, 'trashed', account.trashed, 'lists', account.lists
    ),
    'createdAt', ${schema}.instant(u.created_at),
    'updatedAt', ${schema}.instant(u.written_at),
    'disabledAt', ${schema}.instant(u.disabled_at)
  )`

/** One user with the stored bytes of the rows of each table. */
export interface StoredUser {
  /** The fields of `User` as JSON. */
  readonly item: string
  readonly horizon: number
  readonly todos: number
  readonly lists: number
  readonly words: number
  readonly keys: number
}

export const show = (schema: QuotedSchema) => {
  const bytes = (table: string) =>
    `(select coalesce(sum(pg_column_size(r)), 0)::float8 from ${schema}.${table} r where owner_id = me.id)`
  return /* sql */ `select ${userJson(schema)}::text as item, u.horizon::float8 as horizon, ${bytes("todos")} as todos,
  ${bytes("lists")} as lists, ${bytes("todo_words")} as words, ${bytes("idempotency_keys")} as keys
from (select * from ${schema}.users where id = $1 offset 0) u ${accounts(schema)}`
}

/** Inserts the user `$1` if it is missing. It returns a row if it did. */
export const insert = (schema: QuotedSchema) =>
  /* sql */ `insert into ${schema}.users (id) values ($1) on conflict (id) do nothing returning id`

/** Disables the user `$1`. It returns a row if the user was enabled. */
export const disable = (schema: QuotedSchema) =>
  /* sql */ `update ${schema}.users set disabled_at = now() where id = $1 and disabled_at is null returning id`

/** Enables the user `$1`. It returns a row if the user was disabled. */
export const enable = (schema: QuotedSchema) =>
  /* sql */ `update ${schema}.users set disabled_at = null where id = $1 and disabled_at is not null returning id`

/** Locks the row of the user `$1`, as every write does. It returns no row if the user does not exist. */
export const lock = (schema: QuotedSchema) => /* sql */ `select id from ${schema}.users where id = $1 for update`

/** The number of rows that were deleted. */
export interface Deleted {
  readonly rows: number
}

/** Deletes the rows of the user `$1` from one of `erasedTables`. */
export const deleteRows = (schema: QuotedSchema, table: string) => /* sql */ `with gone as (
  delete from ${schema}.${table} where owner_id = $1 returning 1
) select count(*)::int as rows from gone`

/** Remembers the highest revision of all erased users, and that of the user `$1`. */
export const recordErasure = (schema: QuotedSchema) => /* sql */ `update ${schema}.erasures
set revision = greatest(erasures.revision, u.revision + 1) from ${schema}.users u where u.id = $1`

/** Deletes the row of the user `$1`. */
export const deleteUser = (schema: QuotedSchema) => /* sql */ `delete from ${schema}.users where id = $1`
