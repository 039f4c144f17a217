import { type Due, type ListId, type NewTodo, Priority } from "../domain/Todo.ts"
import { instantOf } from "./DueInstant.ts"
import { fastTimestamp } from "./fastTimestamp.ts"
import { milliseconds, type RowReader, rowReader } from "./RowReader.ts"
import { titleKey, words } from "./SearchWords.ts"
import { columnsOf, type FieldsColumns, type FieldWrites } from "../writes/FieldColumns.ts"
import type { TodoRequest } from "../writes/WriteRequest.ts"

/** How pages read a field, as well as by `json`. A test compares both. */
interface PageColumns {
  readonly page: RowReader
}

/**
 * The fields of a todo that clients set, in the order of the JSON, with their columns. Writes, imports, merges,
 * pages and the functions of the database derive from this record. A new field is added here, in `domain/Todo.ts`, in
 * `domain/TodoDefaults.ts` and in a migration.
 */
export const todoColumns: FieldsColumns<NewTodo, PageColumns> = {
  title: {
    columns: ["title"],
    derived: ["title_key", "title_words"],
    write: (title) => ({ title, title_key: titleKey(title), title_words: words(title) }),
    json: () => ({ title: "t.title" }),
    page: rowReader(["t.title"], (todo, title: string) => (todo.title = title))
  },
  description: {
    columns: ["description"],
    derived: ["description_words"],
    write: (description) => ({ description, description_words: words(description ?? "") }),
    json: () => ({ description: "t.description" }),
    page: rowReader(["t.description"], (todo, description: string | null) => (todo.description = description))
  },
  completed: {
    columns: ["completed_at"],
    // `write_todo` converts it to `completed_at`.
    write: (completed) => ({ completed }),
    json: (s) => ({ completed: "t.completed_at is not null", completedAt: `${s}.instant(t.completed_at)` }),
    page: rowReader([milliseconds("completed_at")], (todo, completedAt: number | null) => {
      todo.completed = completedAt !== null
      todo.completedAt = completedAt === null ? null : fastTimestamp(completedAt)
    })
  },
  priority: {
    columns: ["priority"],
    write: (priority) => ({ priority: Priority.literals.indexOf(priority) }),
    json: () => ({
      priority: `(array[${Priority.literals.map((name) => `'${name}'`).join(", ")}])[t.priority + 1]`
    }),
    page: rowReader(["t.priority"], (todo, index: number) => (todo.priority = Priority.literals[index] ?? "none"))
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
    page: rowReader(
      [
        "to_char(t.due_date::timestamp, 'YYYY-MM-DD') as the_due_date",
        `to_char(t.due_time, 'YYYY-MM-DD"T"HH24:MI:SS') as the_due_time`,
        "t.due_zone"
      ],
      (todo, date: string | null, time: string | null, timeZone: string) => (todo.due = toDue(date, time, timeZone))
    )
  },
  tags: {
    columns: ["tags"],
    write: (tags) => ({ tags }),
    json: () => ({ tags: "t.tags" }),
    page: rowReader(["t.tags"], (todo, tags: ReadonlyArray<string>) => (todo.tags = tags))
  },
  listId: {
    columns: ["list_id"],
    write: (listId) => ({ list_id: listId }),
    json: () => ({ listId: "t.list_id" }),
    page: rowReader(["t.list_id::text as the_list"], (todo, listId: ListId | null) => (todo.listId = listId))
  }
}

/** Turns fields of a todo into columns. An absent field has none. */
export const columnsOfTodo = columnsOf(todoColumns)

/** How the writer stores the fields of a todo. */
export const todoWrites: FieldWrites<TodoRequest> = {
  columnsOf: (request) =>
    "todo" in request ? columnsOfTodo(request.todo) : "patch" in request ? columnsOfTodo(request.patch) : undefined,
  fingerprinted: [
    "title",
    "description",
    "completed",
    "priority",
    "tags",
    "list_id",
    "due_date",
    "due_time",
    "due_zone"
  ]
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
