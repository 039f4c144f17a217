/**
 * Turns rows of `todos` into todos. PostgreSQL sends plain columns: a page of 51 rows costs it 180 µs of CPU, and 590 µs as
 * JSON by `todo_json`, which the write functions use. A test compares both forms.
 */
import { type Due, Priority, type Todo } from "../domain/Todo.ts"
import { fastTimestamp } from "./fastTimestamp.ts"

const milliseconds = (column: string) => `date_part('epoch', ${column}) * 1000`

/**
 * The columns that `toTodo` reads of a row `t`, after the value that the page is sorted by. They are numbers and texts,
 * so neither the client nor the session can change their form. A cast column gets another name, because `order by` prefers
 * the names of the output.
 */
export const columns = (sortValue: string) => `${sortValue} as value, ${ofTodo}`

const ofTodo = [
  "t.id::text as the_id",
  "t.title",
  "t.description",
  milliseconds("t.completed_at"),
  "t.priority",
  "to_char(t.due_date::timestamp, 'YYYY-MM-DD')",
  `to_char(t.due_time, 'YYYY-MM-DD"T"HH24:MI:SS')`,
  "t.due_zone",
  "t.tags",
  "t.list_id::text as the_list",
  "t.position",
  "t.revision::float8 as the_revision",
  milliseconds("t.created_at"),
  milliseconds("t.updated_at"),
  milliseconds("t.deleted_at")
].join(", ")

type Row = readonly [
  sortValue: string | null,
  id: string,
  title: string,
  description: string | null,
  completedAt: number | null,
  priority: number,
  dueDate: string | null,
  dueTime: string | null,
  dueZone: string,
  tags: ReadonlyArray<string>,
  listId: string | null,
  position: string,
  revision: number,
  createdAt: number,
  updatedAt: number,
  deletedAt: number | null
]

const timestampOrNull = (milliseconds: number | null): string | null =>
  milliseconds === null ? null : fastTimestamp(milliseconds)

/** The due date of its columns, of which at most one form is set. */
const toDue = (date: string | null, time: string | null, timeZone: string): Due | null =>
  date !== null ? { date } : time !== null ? { dateTime: time, timeZone } : null

/**
 * The todo of a row. Nothing is validated, because the database checks what it stores. The row may have other values before
 * and after those of the todo; copying a page of rows without them took 30 µs.
 */
export const toTodo = (row: ReadonlyArray<unknown>): Todo => {
  const [
    ,
    id,
    title,
    description,
    completedAt,
    priority,
    dueDate,
    dueTime,
    dueZone,
    tags,
    listId,
    position,
    revision,
    createdAt,
    updatedAt,
    deletedAt
  ] = row as unknown as Row
  return {
    id,
    title,
    description,
    completed: completedAt !== null,
    completedAt: timestampOrNull(completedAt),
    priority: Priority.literals[priority],
    due: toDue(dueDate, dueTime, dueZone),
    tags,
    listId,
    position,
    revision,
    createdAt: fastTimestamp(createdAt),
    updatedAt: fastTimestamp(updatedAt),
    deletedAt: timestampOrNull(deletedAt)
  } as Todo
}
