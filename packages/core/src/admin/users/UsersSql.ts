/** The statements on users, for operators. Those that look past one user run in `overAllUsers`. */
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

/** The id alone has an index: other orders read all users to begin a page, and `size` counts all todos as well. */
const orders: Record<Column, Order> = {
  id: { column: "id", type: "text", unique: true },
  size: { column: "size", type: "bigint", idType: "text" },
  updatedAt: { column: "written_at", type: "timestamptz", idType: "text" },
  createdAt: { column: "created_at", type: "timestamptz", idType: "text" }
}

const conditions = (query: UserQuery) => (query.disabled === true ? ["disabled_at is not null"] : ["true"])

/** How many users there are. */
export const count = (schema: string, query: UserQuery): Select => ({
  text: `select count(*)::int from ${schema}.users where ${conditions(query).join(" and ")}`,
  parameters: []
})

/** Users in order, after a key: sort value, id, JSON. */
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

/** Users with how many todos they have, each counted from an index. */
const sized = (schema: string) => `(
      select u.*, held.size from ${schema}.users u ${forEachUser}
      cross join lateral (select count(*) as size from ${schema}.todos where owner_id = me.id offset 0) held
    ) users`

/** Beside users `u`, what each finds in the own account. */
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

/** One user: JSON, horizon, and the bytes of the rows, as they are stored. */
export const show = (schema: string) => `select ${userJson(schema)}::text, u.horizon::text, ${erasedTables
  .map((table) => `(select coalesce(sum(pg_column_size(r)), 0)::text from ${schema}.${table} r where owner_id = me.id)`)
  .join(", ")}
from (select * from ${schema}.users where id = $1 offset 0) u ${accounts(schema)}`
