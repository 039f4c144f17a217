/** The defaults of the fields of a todo. They are apart from the schemas, so that a client can load them alone. */
import type { NewTodo } from "./Todo.ts"

/** What a new todo has, and a replaced one, for each field that a client leaves out. */
export const todoDefaults: Required<Omit<NewTodo, "title">> = {
  description: null,
  completed: false,
  priority: "none",
  due: null,
  tags: [],
  listId: null
}
