import { type Due, type NewTodo, Priority } from "../domain/Todo.ts"
import { instantOf } from "./DueInstant.ts"
import { titleKey, words } from "./SearchWords.ts"
import { columnsOf, defaultsOf, type FieldsColumns } from "../writes/FieldColumns.ts"

/**
 * The fields of a todo that clients set, and how each is stored. Writes, imports, merges, defaults and the functions of
 * the database derive from this record. A new field is added here, in `domain/Todo.ts`, in a migration, in
 * `schema/functions/json.ts` and, for pages, in `TodoRow.ts`.
 */
export const todoColumns: FieldsColumns<NewTodo> = {
  title: {
    columns: ["title"],
    derived: ["title_key", "title_words"],
    write: (title) => ({ title, title_key: titleKey(title), title_words: words(title) })
  },
  description: {
    columns: ["description"],
    derived: ["description_words"],
    default: null,
    write: (description) => ({ description, description_words: words(description ?? "") })
  },
  // The function of the database turns it into the time.
  completed: { columns: ["completed_at"], default: false, write: (completed) => ({ completed }) },
  priority: {
    columns: ["priority"],
    default: "none",
    write: (priority) => ({ priority: Priority.literals.indexOf(priority) })
  },
  tags: { columns: ["tags"], default: [], write: (tags) => ({ tags }) },
  listId: { columns: ["list_id"], default: null, write: (listId) => ({ list_id: listId }) },
  due: {
    columns: ["due_date", "due_time", "due_zone"],
    derived: ["due_at"],
    default: null,
    write: (due) => dueColumns(due)
  }
}

/** The columns of the fields that are there. */
export const columns = columnsOf(todoColumns)

/** What a new todo has if a client leaves it out. */
export const defaults = defaultsOf(todoColumns)

const dueColumns = (due: Due | null) => {
  const local = due !== null && "dateTime" in due ? due : undefined
  return {
    due_date: due !== null && "date" in due ? due.date : null,
    due_time: local?.dateTime ?? null,
    due_zone: local?.timeZone ?? null,
    due_at: local === undefined ? null : instantOf(local)
  }
}
