import type { IfRevision } from "../domain/Revision.ts"
import type { ListMove, TodoMove } from "../domain/Move.ts"
import type { ListId, NewTodo, Todo, TodoId, TodoPatch } from "../domain/Todo.ts"
import type { ListPatch, ListTodos, NewList, TodoList } from "../domain/TodoList.ts"

/**
 * A valid request to write a todo. A `create` and a `put` have the id of the todo and all fields, with defaults for those
 * that the caller left out. `Todos.complete` and `Todos.reopen` make an `update`.
 */
export type TodoRequest =
  | { readonly kind: "todo"; readonly op: "create" | "put"; readonly id: TodoId; readonly todo: NewTodo }
  | { readonly kind: "todo"; readonly op: "update"; readonly id: TodoId; readonly patch: TodoPatch }
  | { readonly kind: "todo"; readonly op: "delete" | "restore"; readonly id: TodoId }
  | { readonly kind: "todo"; readonly op: "move"; readonly id: TodoId; readonly to: TodoMove }

/** A valid request to write a list. `todos` says what happens to the todos of a deleted list. */
export type ListRequest =
  | { readonly kind: "list"; readonly op: "create" | "put"; readonly id: ListId; readonly list: NewList }
  | { readonly kind: "list"; readonly op: "update"; readonly id: ListId; readonly patch: ListPatch }
  | { readonly kind: "list"; readonly op: "delete"; readonly id: ListId; readonly todos?: ListTodos }
  | { readonly kind: "list"; readonly op: "restore"; readonly id: ListId }
  | { readonly kind: "list"; readonly op: "move"; readonly id: ListId; readonly to: ListMove }

/** A valid request to write a todo or a list. */
export type WriteRequest = TodoRequest | ListRequest

/** A request with the revision that it expects. */
export interface ConditionalRequest<Request extends WriteRequest = WriteRequest> {
  readonly request: Request
  readonly ifRevision?: IfRevision | undefined
}

/**
 * The result of a write: the row after it. A write that changed nothing is reported with the unchanged revision. Id and
 * revision together identify a change.
 */
export type WriteDone =
  | { readonly kind: "todo"; readonly op: TodoRequest["op"]; readonly created: boolean; readonly todo: Todo }
  | { readonly kind: "list"; readonly op: ListRequest["op"]; readonly created: boolean; readonly list: TodoList }
