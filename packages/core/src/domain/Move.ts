import * as Schema from "effect/Schema"
import { ListId, TodoId } from "./Todo.ts"

/** Where to: right before or right behind another one. */
const move = <Id extends Schema.Constraint>(id: Id) =>
  Schema.Union([Schema.Struct({ before: id }), Schema.Struct({ after: id })])

/** Where a todo goes: right before or right behind another one of the user's. */
export const TodoMove = move(TodoId).annotate({ identifier: "TodoMove" })
export type TodoMove = typeof TodoMove.Type

/** Where a list goes: right before or right behind another one of the user's. */
export const ListMove = move(ListId).annotate({ identifier: "ListMove" })
export type ListMove = typeof ListMove.Type
