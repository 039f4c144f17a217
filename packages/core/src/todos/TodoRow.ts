/** The rows of pages of todos. Each has the sort value, the id, and the todo as JSON or in the columns of `fastRows.ts`. */
import * as KeysetPage from "../database/KeysetPage.ts"
import { optimisations } from "../database/optimisations.ts"
import type { Todo } from "../domain/Todo.ts"
import { fastRows } from "./fastRows.ts"
import type { QuotedSchema } from "../schema/SchemaName.ts"
import { rowOf } from "../schema/rowOf.ts"

/** The columns of a row `t` that `toTodo` reads. The first one is the value that the page is sorted by. */
export const columns = (schema: QuotedSchema, sortValue: string): string => {
  const todo = optimisations.fastRows
    ? fastRows.columns
    : `${schema}.todo_json(${rowOf(schema, "todos")})::text as item`
  return `${sortValue} as value, t.id::text as the_id, ${todo}`
}

/** Turns a row into a todo. */
export const toTodo = (row: KeysetPage.PageRow): Todo =>
  optimisations.fastRows ? fastRows.toTodo(row) : KeysetPage.parseItem(row)
