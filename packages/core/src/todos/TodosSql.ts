/** The statements on todos. Each names its owner as `owner_id = $1`. `UserScopeSql.ts` explains why. */
import * as DateTime from "effect/DateTime"
import { pageLimit } from "../domain/Page.ts"
import type { TodoQuery, TodoSort } from "../domain/TodoQuery.ts"
import * as CandidatesSql from "./CandidatesSql.ts"
import * as DueOrderSql from "./DueOrderSql.ts"
import {
  direction,
  type Key,
  type Order,
  ordered,
  type PageRow,
  type PageSelect,
  parameters,
  type Select,
  sortValue
} from "../database/KeysetPage.ts"
import type { SelectOf } from "../database/UserScopeSql.ts"
import { conditions, filtersOf, type Now } from "./TodoConditionsSql.ts"
import * as TodoRow from "./TodoRow.ts"
import type { QuotedSchema } from "../schema/SchemaName.ts"

/** Uses the primary key. */
export const get = (
  schema: QuotedSchema
): SelectOf<PageRow> => /* sql */ `select ${TodoRow.columns(schema, "null")} from ${schema}.todos t
where owner_id = $1 and id = $2::uuid and deleted_at is null`

/** A total, and the user's revision in the same snapshot. */
export type CountRow = readonly [total: number, revision: string]

/** Counts the todos that meet the conditions. */
export const count = (schema: QuotedSchema, query: TodoQuery, now: Now): Select<CountRow> => {
  const { add, values } = parameters()
  const all = /* sql */ `select count(*) as n from ${schema}.todos t where ${conditions(query, now, add).join(" and ")}`
  const plans = CandidatesSql.plans(schema, query, add)
  const isOnlyWords = Object.keys(filtersOf(query)).every((name) => name === "q")
  const byWord = plans && query.q !== undefined && isOnlyWords && CandidatesSql.countByWord(schema, query.q, add)
  const scanned = plans && (byWord ? /* sql */ `select ${byWord} where ${plans.scan}` : `${all} and ${plans.scan}`)
  const total = plans
    ? /* sql */ `${plans.candidates}
select sum(n) from (${all} and ${plans.lookUp} union all ${scanned}) counts`
    : all
  return {
    text: /* sql */ `select (${total})::int as total, (${revision(schema)}) as revision`,
    parameters: values
  }
}

/** The user's revision. It returns a row even if the user has never written. */
export const revision = (schema: QuotedSchema): SelectOf<readonly [revision: string]> =>
  /* sql */ `select coalesce(max(u.revision), 0)::text as revision from ${schema}.users u where u.id = $1`

/** The default page size plus one row. It is part of the text and not a parameter, so the planner knows it. */
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
export const list = (
  schema: QuotedSchema,
  query: TodoQuery,
  now: Now,
  limit: number,
  after: Key | undefined
): PageSelect => {
  const [sort, descending] = direction<Column | "due">(query.sort ?? "position")
  if (sort === "due") return DueOrderSql.list(schema, query, now, descending, limit, after)
  const { add, values } = parameters()
  const { begin, orderBy } = ordered(orders[sort], descending, after, add)
  const shared = conditions(query, now, add)
  const plans = CandidatesSql.plans(schema, query, add)
  const most = limit === usualLimit ? limit : add(limit)
  const page = (
    ...plan: ReadonlyArray<string>
  ) => /* sql */ `select ${TodoRow.columns(schema, sortValue(schema, orders[sort]))} from ${schema}.todos t
where ${[...shared, ...begin, ...plan].join(" and ")}
order by ${orderBy} limit ${most}`
  return {
    text:
      plans === undefined ? page() : `${plans.candidates}\n(${page(plans.lookUp)})\nunion all\n(${page(plans.scan)})`,
    parameters: values
  }
}

/** The statements of a first and of a later page without filters, of the default size. They do not depend on the time. */
export const plainPages = (schema: QuotedSchema): ReadonlyArray<PageSelect> =>
  [undefined, ["", ""] as const].map((after) => list(schema, {}, DateTime.makeUnsafe(0), usualLimit, after))
