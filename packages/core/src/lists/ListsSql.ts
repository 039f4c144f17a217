/** The selects of lists. Each names its owner as `owner_id = $1`. `UserScopeSql.ts` explains why. */
import type { ListQuery, ListSort } from "../domain/TodoQuery.ts"
import {
  direction,
  type Key,
  type Order,
  ordered,
  type PageSelect,
  parameters,
  sortValue
} from "../database/KeysetPage.ts"
import type { SelectOf } from "../database/UserScopeSql.ts"
import type { QuotedSchema } from "../schema/SchemaName.ts"
import { rowOf } from "../schema/rowOf.ts"

/** One list as JSON. Uses the primary key. */
export const get = (
  schema: QuotedSchema
): SelectOf<
  readonly [item: string]
> => /* sql */ `select ${schema}.list_json(${rowOf(schema, "lists", "l")})::text as item from ${schema}.lists l
where owner_id = $1 and id = $2::uuid and deleted_at is null`

const conditions = (query: ListQuery) =>
  `owner_id = $1 and deleted_at is ${query.deleted === true ? "not null" : "null"}`

/** The number of lists. */
export const count = (schema: QuotedSchema, query: ListQuery): SelectOf<readonly [total: number]> =>
  /* sql */ `select count(*)::int as total from ${schema}.lists where ${conditions(query)}`

type Column = Exclude<ListSort, `-${string}`>

const orders: Record<Column, Order> = {
  position: { column: "position", type: "text", unique: true },
  createdAt: { column: "created_at", type: "timestamptz" },
  updatedAt: { column: "revision", type: "bigint", unique: true }
}

/** A page of lists after a key. Columns: sort value, id, JSON. */
export const list = (schema: QuotedSchema, query: ListQuery, limit: number, after: Key | undefined): PageSelect => {
  const { add, values } = parameters()
  const [sort, descending] = direction<Column>(query.sort ?? "position")
  const { begin, orderBy } = ordered(orders[sort], descending, after, add)
  return {
    text: /* sql */ `select ${sortValue(schema, orders[sort])} as value, id, ${schema}.list_json(${rowOf(schema, "lists", "l")})::text as item from ${schema}.lists l
where ${[conditions(query), ...begin].join(" and ")}
order by ${orderBy} limit ${add(limit)}`,
    parameters: values
  }
}
