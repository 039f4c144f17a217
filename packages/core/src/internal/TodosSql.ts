/**
 * The statements on todos. Each names its owner as `owner_id = me.id`; see `UserScope`
 * for `me`, and `TodoRow` for what is read of a row.
 */
import * as DateTime from "effect/DateTime"
import { pageLimit } from "../domain/Page.ts"
import { type Due, type ListId, Priority, type TodoPatch } from "../domain/Todo.ts"
import type { TodoQuery, TodoSort } from "../domain/TodoQuery.ts"
import { instantOf } from "./DueInstant.ts"
import * as DueOrder from "./DueOrder.ts"
import { direction, type Key, type Order, ordered, parameters, type Select, sortValue } from "./Page.ts"
import { conditions, type Now } from "./TodoConditions.ts"
import * as TodoRow from "./TodoRow.ts"
import { titleKey, words } from "./Words.ts"

/** By primary key. */
export const get = (schema: string) =>
  `select ${TodoRow.columns("null")} from ${schema}.todos t
where owner_id = me.id and id = $2::uuid and deleted_at is null`

/** How many todos meet the conditions. */
export const count = (schema: string, query: TodoQuery, now: Now): Select => {
  const { add, values } = parameters()
  return {
    text: `select count(*)::int from ${schema}.todos t where ${conditions(schema, query, now, add).join(" and ")}`,
    parameters: values
  }
}

/** A page of the usual size, and the row that tells whether there is another: in the text, for the planner to count on. */
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
  return {
    text: `select ${TodoRow.columns(sortValue(schema, orders[sort]))} from ${schema}.todos t
where ${[...conditions(schema, query, now, add), ...begin].join(" and ")}
order by ${orderBy} limit ${limit === usualLimit ? limit : add(limit)}`,
    parameters: values
  }
}

/** The first page of all todos, of the usual size, and any behind it: no condition of theirs asks for the time. */
export const plainPages = (schema: string): ReadonlyArray<Select> =>
  [undefined, ["", ""] as const].map((after) => list(schema, {}, DateTime.makeUnsafe(0), usualLimit, after))

/** The columns that a client's fields stand for; an absent field has none. */
export const columns = (fields: TodoPatch): Record<string, unknown> => ({
  ...(fields.title !== undefined && {
    title: fields.title,
    title_key: titleKey(fields.title),
    title_words: words(fields.title)
  }),
  ...(fields.description !== undefined && {
    description: fields.description,
    description_words: words(fields.description ?? "")
  }),
  ...(fields.completed !== undefined && { completed: fields.completed }),
  ...(fields.priority !== undefined && { priority: Priority.literals.indexOf(fields.priority) }),
  ...(fields.tags !== undefined && { tags: fields.tags }),
  ...(fields.listId !== undefined && { list_id: fields.listId }),
  ...(fields.due !== undefined && dueColumns(fields.due))
})

interface Columns {
  readonly title?: string
  readonly description?: string | null
  readonly completed?: boolean
  readonly priority?: number
  readonly tags?: ReadonlyArray<string>
  readonly list_id?: ListId | null
  readonly due_date?: string | null
  readonly due_time?: string | null
  readonly due_zone?: string | null
}

/** The fields that columns of `columns` stand for. */
export const fieldsOf = (columns: Record<string, unknown>): TodoPatch => {
  const { completed, description, due_date, due_time, due_zone, list_id, priority, tags, title }: Columns = columns
  return {
    ...(title !== undefined && { title }),
    ...(description !== undefined && { description }),
    ...(completed !== undefined && { completed }),
    ...(priority !== undefined && { priority: Priority.literals[priority] ?? "none" }),
    ...(tags !== undefined && { tags }),
    ...(list_id !== undefined && { listId: list_id }),
    ...(due_date !== undefined && { due: TodoRow.toDue(due_date, due_time ?? null, due_zone ?? "") })
  }
}

const dueColumns = (due: Due | null) => {
  const local = due !== null && "dateTime" in due ? due : undefined
  return {
    due_date: due !== null && "date" in due ? due.date : null,
    due_time: local?.dateTime ?? null,
    due_zone: local?.timeZone ?? null,
    due_at: local === undefined ? null : instantOf(local)
  }
}
