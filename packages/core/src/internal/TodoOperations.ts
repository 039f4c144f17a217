/** What is asked for todos, as the operations that `Write` runs. */
import * as Effect from "effect/Effect"
import type { TodoOperation } from "../domain/Batch.ts"
import type { NewTodo } from "../domain/Todo.ts"
import { newId } from "./NewId.ts"
import * as TodosSql from "./TodosSql.ts"
import type { Operation } from "./Write.ts"

/** Sets all that a client may set. */
export const replacement = (id: string, todo: NewTodo): Operation => ({
  kind: "todo",
  op: "put",
  id,
  fields: TodosSql.columns({ ...defaults, ...todo })
})

/** Adds a todo, under an id of ours. */
export const creation = (id: string, todo: NewTodo): Operation => ({ ...replacement(id, todo), ifAbsent: true })

/** One step of a batch. */
export const toOperation = (step: TodoOperation): Effect.Effect<Operation> => {
  if (step.op === "create") return Effect.map(newId, (id) => creation(id, step.todo))
  const { id, ifRevision, op } = step
  return Effect.succeed({
    kind: "todo",
    op,
    id,
    fields: TodosSql.columns(op === "update" ? step.patch : {}),
    // As a list, so that a batch under a key is the same request however its revision was written.
    ...(ifRevision !== undefined && { ifRevision: typeof ifRevision === "number" ? [ifRevision] : ifRevision })
  })
}

/** What a new todo has where nothing is said. */
const defaults = {
  description: null,
  completed: false,
  priority: "none",
  due: null,
  tags: [],
  listId: null
} as const
