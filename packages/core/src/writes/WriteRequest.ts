import type { IfRevision } from "../domain/Revision.ts"
import type { ListMove, TodoMove } from "../domain/Move.ts"
import type { ListId, NewTodo, Todo, TodoId, TodoPatch } from "../domain/Todo.ts"
import type { ListPatch, ListTodos, NewList, TodoList } from "../domain/TodoList.ts"

/**
 * What a write on a todo asks for, once it was found valid. A `create` has all fields, with defaults for those that were
 * left out, and the id that the todo will have; so has a `put`, which may also replace. `complete` and `reopen` are
 * updates.
 */
export type TodoRequest =
  | { readonly kind: "todo"; readonly op: "create" | "put"; readonly id: TodoId; readonly todo: NewTodo }
  | { readonly kind: "todo"; readonly op: "update"; readonly id: TodoId; readonly patch: TodoPatch }
  | { readonly kind: "todo"; readonly op: "delete" | "restore"; readonly id: TodoId }
  | { readonly kind: "todo"; readonly op: "move"; readonly id: TodoId; readonly to: TodoMove }

/** What a write on a list asks for. `todos` says what happens to the todos of a list that is deleted. */
export type ListRequest =
  | { readonly kind: "list"; readonly op: "create" | "put"; readonly id: ListId; readonly list: NewList }
  | { readonly kind: "list"; readonly op: "update"; readonly id: ListId; readonly patch: ListPatch }
  | { readonly kind: "list"; readonly op: "delete"; readonly id: ListId; readonly todos?: ListTodos }
  | { readonly kind: "list"; readonly op: "restore"; readonly id: ListId }
  | { readonly kind: "list"; readonly op: "move"; readonly id: ListId; readonly to: ListMove }

/** What a write asks for. */
export type WriteRequest = TodoRequest | ListRequest

/** A request, and the revision that it expects of the row. */
export interface Step {
  readonly request: WriteRequest
  readonly ifRevision?: IfRevision | undefined
}

/**
 * What a write did: the row as it is now. A write that changed nothing is reported too, at the revision that the row had.
 * Id and revision together name a change, once.
 */
export type WriteDone =
  | { readonly kind: "todo"; readonly op: TodoRequest["op"]; readonly created: boolean; readonly todo: Todo }
  | { readonly kind: "list"; readonly op: ListRequest["op"]; readonly created: boolean; readonly list: TodoList }
