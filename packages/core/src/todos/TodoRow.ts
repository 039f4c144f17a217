/**
 * Rows of `todos` as todos. The columns are read as they are and put together here: for a
 * page of 51 rows, PostgreSQL takes 180 µs of CPU so, and 590 where it writes them as JSON
 * (`todo_json`, which stays for the functions that write); nothing has to be parsed besides.
 * A test holds both to the same.
 */
import { type Due, Priority, type Todo } from "../domain/Todo.ts"
import { fastTimestamp } from "./fastTimestamp.ts"

const milliseconds = (column: string) => `date_part('epoch', ${column}) * 1000`

/**
 * What `toTodo` reads, of rows `t`: numbers, and texts in one form, whatever client and session; in front of it the
 * value that a page is sorted by. What is cast has another name, for `order by` takes names for those of the output
 * where it can.
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

/** Of the columns of a due date those that are set. */
const toDue = (date: string | null, time: string | null, timeZone: string): Due | null =>
  date !== null ? { date } : time !== null ? { dateTime: time, timeZone } : null

/**
 * Our own database holds no todo that is none: nothing is validated here. It takes the row as it came, with what is in
 * front of the todo and behind it: to copy those of a page without that took 30 µs.
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
