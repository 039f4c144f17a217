/** The rows of pages of todos. PostgreSQL sends plain columns. `TodoColumns.ts` has those of each field. */
import type { Todo } from "../domain/Todo.ts"
import { fastTimestamp } from "./fastTimestamp.ts"
import { milliseconds, type Row, todoColumns } from "./TodoColumns.ts"

const fields = Object.values(todoColumns)

/** The columns of a row `t` that `toTodo` reads. The first one is the value that the page is sorted by. */
export const columns = (sortValue: string) => `${sortValue} as value, ${todoSelect}`

const todoSelect = [
  "t.id::text as the_id",
  ...fields.flatMap(({ select }) => select),
  "t.position",
  "t.revision::float8 as the_revision",
  milliseconds("created_at"),
  milliseconds("updated_at"),
  milliseconds("deleted_at")
].join(", ")

/**
 * Turns a row into a todo without validation, because the database checks what it stores. The row may have more values
 * before and after those of the todo: removing them would cost 30 µs a page.
 */
export const toTodo = (row: Row): Todo => {
  const todo = { id: row[1] } as { -readonly [Name in keyof Todo]: Todo[Name] }
  let at = 2
  for (const { read, select } of fields) {
    read(todo, row, at)
    at += select.length
  }
  todo.position = row[at]
  todo.revision = row[at + 1]
  todo.createdAt = fastTimestamp(row[at + 2])
  todo.updatedAt = fastTimestamp(row[at + 3])
  todo.deletedAt = row[at + 4] === null ? null : fastTimestamp(row[at + 4])
  return todo
}
