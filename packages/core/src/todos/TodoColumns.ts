import { type Due, type NewTodo, Priority, type Todo } from "../domain/Todo.ts"
import { instantOf } from "./DueInstant.ts"
import { fastTimestamp } from "./fastTimestamp.ts"
import { titleKey, words } from "./SearchWords.ts"
import { columnsOf, derivedColumns, type FieldsColumns, type FieldWrites } from "../writes/FieldColumns.ts"
import type { TodoRequest } from "../writes/WriteRequest.ts"

/** How a page reads a field. */
interface PageColumns {
  /**
   * The expressions over a row `t`. They are numbers or texts, because the form of other types depends on the client and
   * the session. A converted column gets another name, because `order by` prefers the names of the output.
   */
  readonly select: ReadonlyArray<string>
  /** Sets the members of the todo. The values of `select` begin at the index `at` of the row. */
  readonly read: (todo: Mutable<Todo>, row: Row, at: number) => void
}

type Mutable<T> = { -readonly [Name in keyof T]: T[Name] }
/** The values of a row. Each field knows the types of its own expressions. */
// oxlint-disable-next-line no-explicit-any -- `unknown` would need a cast in every `read`
export type Row = ReadonlyArray<any>

/** Milliseconds since 1970. */
export const milliseconds = (column: string): string => `date_part('epoch', t.${column}) * 1000 as the_${column}`

/**
 * The fields of a todo that clients set, in the order of the JSON, with their columns. Writes, imports, merges,
 * pages and the functions of the database derive from this record. A new field is added here, in `domain/Todo.ts`, in
 * `domain/TodoDefaults.ts` and in a migration.
 *
 * `json` and `select` have the same values. Pages use `select`, because it costs PostgreSQL less CPU: 180 µs for 51 rows
 * instead of 590 µs for `json`, which the database functions use. A test compares both.
 */
export const todoColumns: FieldsColumns<NewTodo, PageColumns> = {
  title: {
    columns: ["title"],
    derived: ["title_key", "title_words"],
    write: (title) => ({ title, title_key: titleKey(title), title_words: words(title) }),
    json: () => ({ title: "t.title" }),
    select: ["t.title"],
    read: (todo, row, at) => void (todo.title = row[at])
  },
  description: {
    columns: ["description"],
    derived: ["description_words"],
    write: (description) => ({ description, description_words: words(description ?? "") }),
    json: () => ({ description: "t.description" }),
    select: ["t.description"],
    read: (todo, row, at) => void (todo.description = row[at])
  },
  completed: {
    columns: ["completed_at"],
    // `write_todo` converts it to `completed_at`.
    write: (completed) => ({ completed }),
    json: (s) => ({ completed: "t.completed_at is not null", completedAt: `${s}.instant(t.completed_at)` }),
    select: [milliseconds("completed_at")],
    read: (todo, row, at) => {
      todo.completed = row[at] !== null
      todo.completedAt = row[at] === null ? null : fastTimestamp(row[at])
    }
  },
  priority: {
    columns: ["priority"],
    write: (priority) => ({ priority: Priority.literals.indexOf(priority) }),
    json: () => ({
      priority: `(array[${Priority.literals.map((name) => `'${name}'`).join(", ")}])[t.priority + 1]`
    }),
    select: ["t.priority"],
    read: (todo, row, at) => void (todo.priority = Priority.literals[row[at]] ?? "none")
  },
  due: {
    columns: ["due_date", "due_time", "due_zone"],
    derived: ["due_at"],
    write: (due) => dueColumns(due),
    json: () => ({
      due: `case
      when t.due_date is not null then json_build_object('date', t.due_date)
      when t.due_time is not null then json_build_object('dateTime', t.due_time, 'timeZone', t.due_zone)
    end`
    }),
    select: [
      "to_char(t.due_date::timestamp, 'YYYY-MM-DD') as the_due_date",
      `to_char(t.due_time, 'YYYY-MM-DD"T"HH24:MI:SS') as the_due_time`,
      "t.due_zone"
    ],
    read: (todo, row, at) => void (todo.due = toDue(row[at], row[at + 1], row[at + 2]))
  },
  tags: {
    columns: ["tags"],
    write: (tags) => ({ tags }),
    json: () => ({ tags: "t.tags" }),
    select: ["t.tags"],
    read: (todo, row, at) => void (todo.tags = row[at])
  },
  listId: {
    columns: ["list_id"],
    write: (listId) => ({ list_id: listId }),
    json: () => ({ listId: "t.list_id" }),
    select: ["t.list_id::text as the_list"],
    read: (todo, row, at) => void (todo.listId = row[at])
  }
}

/** Turns fields of a todo into columns. An absent field has none. */
export const columnsOfTodo = columnsOf(todoColumns)

/** How the writer stores the fields of a todo. */
export const todoWrites: FieldWrites<TodoRequest> = {
  columnsOf: (request) =>
    "todo" in request ? columnsOfTodo(request.todo) : "patch" in request ? columnsOfTodo(request.patch) : undefined,
  derived: derivedColumns(todoColumns)
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

/** The due date of its columns, of which at most one form is set. */
const toDue = (date: string | null, time: string | null, timeZone: string): Due | null =>
  date !== null ? { date } : time !== null ? { dateTime: time, timeZone } : null
