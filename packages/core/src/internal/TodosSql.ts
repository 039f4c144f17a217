/**
 * The statements on todos. Each names its owner as `owner_id = me.id`; see `UserScope`
 * for `me`. Rows come as the JSON of a todo, made by PostgreSQL: nothing validates or
 * re-encodes what our own database holds.
 */
import type { Due, Todo, TodoPatch } from "../domain/Todo.ts"
import type { TodoQuery } from "../domain/TodoQuery.ts"
import { instantOf } from "./DueInstant.ts"

/** By primary key. */
export const get = (schema: string) =>
  `select ${schema}.todo_json(t)::text from ${schema}.todos t
where owner_id = me.id and id = $2 and deleted_at is null`

/** What orders a page, and which index serves it. Each is unique for a user, or made so by the id. */
interface SortOrder {
  readonly column: string
  readonly type: string
  readonly key: (todo: Todo) => unknown
  readonly tie?: true
}

const sortOrders: Record<"position" | "createdAt" | "updatedAt", SortOrder> = {
  // todos_by_position
  position: { column: "position", type: "text", key: (todo) => todo.position },
  // todos_by_creation
  createdAt: { column: "created_at", type: "timestamptz", key: (todo) => todo.createdAt, tie: true },
  // todos_by_revision: every change sets both, and neither ever goes back
  updatedAt: { column: "revision", type: "bigint", key: (todo) => todo.revision }
}

export interface ListStatement {
  /** The select, its own parameters numbered from `$2` on. */
  readonly select: string
  readonly parameters: ReadonlyArray<unknown>
  /** The sort values of a row, to continue after it. */
  readonly key: (todo: Todo) => ReadonlyArray<unknown>
}

/** A page and one row more, which tells whether there is another page. */
export const list = (
  schema: string,
  query: TodoQuery & { readonly limit: number },
  after: ReadonlyArray<unknown> | undefined
): ListStatement => {
  const parameters: Array<unknown> = []
  const parameter = (value: unknown) => `$${parameters.push(value) + 1}`
  const sort = query.sort ?? "position"
  const descending = sort.startsWith("-")
  const order = sortOrders[sort.replace("-", "") as keyof typeof sortOrders]
  const columns = order.tie ? [order.column, "id"] : [order.column]
  const types = order.tie ? [order.type, "uuid"] : [order.type]

  const conditions = ["owner_id = me.id", "deleted_at is null"]
  if (query.completed !== undefined) conditions.push(`completed_at is ${query.completed ? "not null" : "null"}`)
  if (query.priority !== undefined) conditions.push(`priority = ${parameter(priorities.indexOf(query.priority))}`)
  if (query.tag !== undefined && query.tag.length > 0) conditions.push(`tags @> ${parameter(query.tag)}::text[]`)
  if (query.listId === "none") conditions.push("list_id is null")
  else if (query.listId !== undefined) conditions.push(`list_id = ${parameter(query.listId)}::uuid`)
  if (after !== undefined) {
    const values = types.map((type, index) => `${parameter(String(after[index]))}::${type}`)
    conditions.push(`(${columns.join(", ")}) ${descending ? "<" : ">"} (${values.join(", ")})`)
  }
  return {
    select: `select ${schema}.todo_json(t)::text from ${schema}.todos t
where ${conditions.join(" and ")}
order by ${columns.map((column) => (descending ? `${column} desc` : column)).join(", ")}
limit ${parameter(query.limit + 1)}`,
    parameters,
    key: (todo) => (order.tie ? [order.key(todo), todo.id] : [order.key(todo)])
  }
}

const priorities = ["none", "low", "medium", "high"] as const

/** The columns that a client's fields stand for; an absent field has no column. */
export const columns = (fields: TodoPatch): Record<string, unknown> => ({
  ...(fields.title !== undefined && { title: fields.title }),
  ...(fields.description !== undefined && { description: fields.description }),
  ...(fields.completed !== undefined && { completed: fields.completed }),
  ...(fields.priority !== undefined && { priority: priorities.indexOf(fields.priority) }),
  ...(fields.tags !== undefined && { tags: fields.tags }),
  ...(fields.listId !== undefined && { list_id: fields.listId }),
  ...(fields.due !== undefined && dueColumns(fields.due))
})

const dueColumns = (due: Due | null) => {
  const local = due !== null && "dateTime" in due ? due : undefined
  return {
    due_date: due !== null && "date" in due ? due.date : null,
    due_time: local?.dateTime ?? null,
    due_zone: local?.timeZone ?? null,
    due_at: local === undefined ? null : instantOf(local)
  }
}
