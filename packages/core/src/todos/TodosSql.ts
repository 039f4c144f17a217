/** The statements on todos. Each names its owner as `owner_id = me.id`: `UserScopeSql.ts` explains `me`. */
import * as DateTime from "effect/DateTime"
import { pageLimit } from "../domain/Page.ts"
import type { TodoQuery, TodoSort } from "../domain/TodoQuery.ts"
import * as DueOrder from "./DueOrder.ts"
import { direction, type Key, type Order, ordered, parameters, type Select, sortValue } from "../database/KeysetPage.ts"
import { conditions, countByWord, type Now, ways } from "./TodoConditions.ts"
import * as TodoRow from "./TodoRow.ts"

/** By primary key. */
export const get = (schema: string) =>
  `select ${TodoRow.columns("null")} from ${schema}.todos t
where owner_id = me.id and id = $2::uuid and deleted_at is null`

/** Counts the todos that meet the conditions. Answers the count and the user's revision, of one snapshot. */
export const count = (schema: string, query: TodoQuery, now: Now): Select => {
  const { add, values } = parameters()
  const asked = conditions(query, now, add)
  const found = ways(schema, query, add)
  const counted = (way: ReadonlyArray<string>) =>
    `select count(*) as n from ${schema}.todos t where ${[...asked, ...way].join(" and ")}`
  const { count: _count, cursor: _cursor, limit: _limit, q, sort: _sort, timeZone: _timeZone, ...others } = query
  const wide =
    found !== undefined && q !== undefined && Object.keys(others).length === 0
      ? `select ${countByWord(schema, q, add)} where ${found.wide}`
      : counted(found === undefined ? [] : [found.wide])
  const total =
    found === undefined
      ? wide
      : `${found.given}\nselect sum(n) from (${counted([found.narrow])} union all ${wide}) ways`
  return {
    text: `select (${total})::int, (${revision(schema)})`,
    parameters: values
  }
}

/** The user's revision, in one row also if the user has never written. */
export const revision = (schema: string) =>
  `select coalesce(max(u.revision), 0)::text from ${schema}.users u where u.id = me.id`

/** The default page size and one row more. It stands in the text instead of a parameter, so the planner knows it. */
const usualLimit = pageLimit.default + 1

type Column = Exclude<TodoSort extends `-${infer Name}` ? Name : TodoSort, "due" | `-${string}`>

/** Each order has an index of its name: `todos_by_creation` and so on, in `schema/current.sql`. */
const orders: Record<Column, Order> = {
  position: { column: "position", type: "text", unique: true },
  createdAt: { column: "created_at", type: "timestamptz" },
  // Every change sets both, and neither ever goes back.
  updatedAt: { column: "revision", type: "bigint", unique: true },
  priority: { column: "priority", type: "smallint" },
  title: { column: "title_key", type: "text" }
}

/** Todos that meet the conditions, in order, after a key: sort value, and the columns of a row. */
export const list = (schema: string, query: TodoQuery, now: Now, limit: number, after: Key | undefined): Select => {
  const [sort, descending] = direction<Column | "due">(query.sort ?? "position")
  if (sort === "due") return DueOrder.list(schema, query, now, descending, limit, after)
  const { add, values } = parameters()
  const { begin, orderBy } = ordered(orders[sort], descending, after, add)
  const asked = conditions(query, now, add)
  const found = ways(schema, query, add)
  const most = limit === usualLimit ? limit : add(limit)
  const page = (way: ReadonlyArray<string>) =>
    `select ${TodoRow.columns(sortValue(schema, orders[sort]))} from ${schema}.todos t
where ${[...asked, ...begin, ...way].join(" and ")}
order by ${orderBy} limit ${most}`
  return {
    text:
      found === undefined ? page([]) : `${found.given}\n(${page([found.narrow])})\nunion all\n(${page([found.wide])})`,
    parameters: values
  }
}

/** The statements of a first and of a later page without filters, of the default size. They do not depend on the time. */
export const plainPages = (schema: string): ReadonlyArray<Select> =>
  [undefined, ["", ""] as const].map((after) => list(schema, {}, DateTime.makeUnsafe(0), usualLimit, after))
