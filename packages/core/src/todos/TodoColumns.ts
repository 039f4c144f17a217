import { type Due, type NewTodo, Priority } from "../domain/Todo.ts"
import { instantOf } from "./DueInstant.ts"
import { titleKey, words } from "./SearchWords.ts"
import { columnsOf, defaultsOf, type FieldsColumns } from "../writes/FieldColumns.ts"

/**
 * The fields of a todo that clients set, in the order of its JSON, and how each is stored. Writes, imports, merges,
 * defaults and the functions of the database derive from this record. A new field is added here, in `domain/Todo.ts`, in
 * a migration and, for pages, in `TodoRow.ts`.
 */
export const todoColumns: FieldsColumns<NewTodo> = {
  title: {
    columns: ["title"],
    derived: ["title_key", "title_words"],
    write: (title) => ({ title, title_key: titleKey(title), title_words: words(title) }),
    json: () => ({ title: "t.title" })
  },
  description: {
    columns: ["description"],
    derived: ["description_words"],
    default: null,
    write: (description) => ({ description, description_words: words(description ?? "") }),
    json: () => ({ description: "t.description" })
  },
  completed: {
    columns: ["completed_at"],
    default: false,
    // The function of the database turns it into the time.
    write: (completed) => ({ completed }),
    json: (s) => ({ completed: "t.completed_at is not null", completedAt: `${s}.instant(t.completed_at)` })
  },
  priority: {
    columns: ["priority"],
    default: "none",
    write: (priority) => ({ priority: Priority.literals.indexOf(priority) }),
    json: () => ({
      priority: `(array[${Priority.literals.map((name) => `'${name}'`).join(", ")}])[t.priority + 1]`
    })
  },
  due: {
    columns: ["due_date", "due_time", "due_zone"],
    derived: ["due_at"],
    default: null,
    write: (due) => dueColumns(due),
    json: () => ({
      due: `case
      when t.due_date is not null then json_build_object('date', t.due_date)
      when t.due_time is not null then json_build_object('dateTime', t.due_time, 'timeZone', t.due_zone)
    end`
    })
  },
  tags: { columns: ["tags"], default: [], write: (tags) => ({ tags }), json: () => ({ tags: "t.tags" }) },
  listId: {
    columns: ["list_id"],
    default: null,
    write: (listId) => ({ list_id: listId }),
    json: () => ({ listId: "t.list_id" })
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
