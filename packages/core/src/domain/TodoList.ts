import * as Schema from "effect/Schema"
import { Revision } from "./Revision.ts"
import { visibleText } from "./Text.ts"
import { Timestamp } from "./Time.ts"
import { ListId, Position } from "./Todo.ts"

const Name = visibleText(200)

/** A list of todos. Its JSON form is its type. */
export const TodoList = Schema.Struct({
  id: ListId,
  name: Name,
  position: Position,
  revision: Revision,
  createdAt: Timestamp,
  updatedAt: Timestamp,
  deletedAt: Schema.NullOr(Timestamp)
}).annotate({ identifier: "List" })
export type TodoList = typeof TodoList.Type

/** What a client may set of a list. */
export const NewList = Schema.Struct({ name: Name }).annotate({ identifier: "NewList" })
export type NewList = typeof NewList.Type

/** A change of a list: an absent field keeps its value. */
export const ListPatch = Schema.Struct({ name: Schema.optionalKey(Name) }).annotate({ identifier: "ListPatch" })
export type ListPatch = typeof ListPatch.Type

/** What happens to the todos of a list that is deleted: they go with it, or stay without a list. */
export const ListTodos = Schema.Literals(["trash", "keep"])
export type ListTodos = typeof ListTodos.Type
