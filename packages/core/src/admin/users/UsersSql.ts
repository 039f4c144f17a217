/** The statements about users, for operators. Statements about several users run in `overAllUsers`. */
import * as AccountsSql from "../../accounts/AccountsSql.ts"
import {
  direction,
  type Key,
  type Order,
  ordered,
  parameters,
  type Select,
  sortValue
} from "../../database/KeysetPage.ts"
import { forEachUser } from "../../database/UserScopeSql.ts"
import { erasedTables } from "../../schema/tables.ts"
import type { UserQuery, UserSort } from "./UserQuery.ts"

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
export const count = (schema: string, query: UserQuery): Select => ({
  text: `select count(*)::int from ${schema}.users where ${conditions(query).join(" and ")}`,
  parameters: []
})

/** One page of users after a key: sort value, id, JSON. */
export const list = (schema: string, query: UserQuery, limit: number, after: Key | undefined): Select => {
  const { add, values } = parameters(1)
  const [sort, descending] = direction<Column>(query.sort ?? "id")
  const { begin, orderBy } = ordered(orders[sort], descending, after, add)
  return {
    text: `select value, id, item::text from (
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
const sized = (schema: string) => `(
      select u.*, held.size from ${schema}.users u ${forEachUser}
      cross join lateral (select count(*) as size from ${schema}.todos where owner_id = me.id offset 0) held
    ) users`

/** Joins users `u` with the account that each of them sees. */
const accounts = (schema: string) =>
  `${forEachUser}
  cross join lateral (${AccountsSql.me(schema)} offset 0) account (revision, open, completed, trashed, lists)`

const userJson = (schema: string) => `json_build_object(
    'id', u.id,
    'revision', u.revision,
    'counts', json_build_object(
      'open', account.open, 'completed', account.completed, 'trashed', account.trashed, 'lists', account.lists
    ),
    'createdAt', ${schema}.instant(u.created_at),
    'updatedAt', ${schema}.instant(u.written_at),
    'disabledAt', ${schema}.instant(u.disabled_at)
  )`

/** One user: JSON, horizon, and the stored bytes of the rows of each table. */
export const show = (schema: string) => `select ${userJson(schema)}::text, u.horizon::text, ${erasedTables
  .map((table) => `(select coalesce(sum(pg_column_size(r)), 0)::text from ${schema}.${table} r where owner_id = me.id)`)
  .join(", ")}
from (select * from ${schema}.users where id = $1 offset 0) u ${accounts(schema)}`
