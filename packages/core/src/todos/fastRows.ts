/**
 * Optimisation: PostgreSQL sends a todo as plain columns, and this file puts them together. `TodoColumns.ts` has the columns
 * of each field.
 *
 * Gains: a page of 51 rows takes 180 µs of PostgreSQL instead of 590 with JSON. Measure with
 * `npm run bench -- "list 50" todo`. To do without it, set `optimisations.fastRows` to `false`: PostgreSQL then sends JSON.
 */
import type { PageRow } from "../database/KeysetPage.ts"
import type { Todo } from "../domain/Todo.ts"
import { fastTimestamp } from "./fastTimestamp.ts"
import { milliseconds, type MutableTodo, rowReader } from "./RowReader.ts"
import { todoColumns } from "./TodoColumns.ts"

const readers = [
  ...Object.values(todoColumns).map(({ page }) => page),
  rowReader(["t.position", "t.revision::float8 as the_revision"], (todo, position: string, revision: number) => {
    todo.position = position
    todo.revision = revision
  }),
  rowReader(
    [milliseconds("created_at"), milliseconds("updated_at"), milliseconds("deleted_at")],
    (todo, createdAt: number, updatedAt: number, deletedAt: number | null) => {
      todo.createdAt = fastTimestamp(createdAt)
      todo.updatedAt = fastTimestamp(updatedAt)
      todo.deletedAt = deletedAt === null ? null : fastTimestamp(deletedAt)
    }
  )
]

export const fastRows = {
  /** The columns of a row `t`, behind its id. */
  columns: readers.flatMap(({ select }) => select).join(", "),

  /**
   * Turns a row into a todo without validation, because the database checks what it stores. The row may have more values
   * after those of the todo: removing them would cost 30 µs a page.
   */
  toTodo: (row: PageRow): Todo => {
    const todo = { id: row[1] } as MutableTodo
    let at = 2
    for (const { read, select } of readers) {
      // A reader has at most three columns. A call with an array of its own would be slower.
      read(todo, row[at], row[at + 1], row[at + 2])
      at += select.length
    }
    return todo
  }
}
