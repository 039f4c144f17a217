/** Builds write requests from the arguments of `Todos`. */
import * as Effect from "effect/Effect"
import type { TodoOperation } from "../domain/Batch.ts"
import type { NewTodo, TodoId } from "../domain/Todo.ts"
import { todoDefaults } from "../domain/TodoDefaults.ts"
import { newId } from "../writes/newId.ts"
import type { ConditionalRequest, TodoRequest } from "../writes/WriteRequest.ts"

/** A request to create a todo under a new id. */
export const creation = (todo: NewTodo): Effect.Effect<TodoRequest> =>
  Effect.map(newId, (id) => ({ kind: "todo", op: "create", id: id as TodoId, todo: { ...todoDefaults, ...todo } }))

/** A request to create or replace a todo under an id of the caller. With `ifAbsent` it only creates. */
export const replacement = (id: TodoId, todo: NewTodo, ifAbsent = false): TodoRequest => ({
  kind: "todo",
  op: ifAbsent ? "create" : "put",
  id,
  todo: { ...todoDefaults, ...todo }
})

/** The request of one operation of a batch. */
export const conditionalRequest = (operation: TodoOperation): Effect.Effect<ConditionalRequest<TodoRequest>> => {
  if (operation.op === "create") return Effect.map(creation(operation.todo), (request) => ({ request }))
  const { id, ifRevision, op } = operation
  const request: TodoRequest =
    op === "update" ? { kind: "todo", op, id, patch: operation.patch } : { kind: "todo", op, id }
  return Effect.succeed({ request, ifRevision })
}
