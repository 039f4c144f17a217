import * as Schema from "effect/Schema"
import { describe } from "./describe.ts"
import { ListId, TodoId } from "./Todo.ts"

/** Where to: right before or right behind another one. */
const move = <Id extends Schema.Constraint>(before: Id, after: Id) =>
  Schema.Union([Schema.Struct({ before }), Schema.Struct({ after })])

/** Where a todo goes: right before or right behind another one of the user's. */
export const TodoMove = move(
  describe(TodoId, "The todo that it shall stand right before"),
  describe(TodoId, "The todo that it shall stand right after")
).annotate({ identifier: "TodoMove", description: "Where to move the todo" })
export type TodoMove = typeof TodoMove.Type

/** Where a list goes: right before or right behind another one of the user's. */
export const ListMove = move(
  describe(ListId, "The list that it shall stand right before"),
  describe(ListId, "The list that it shall stand right after")
).annotate({ identifier: "ListMove", description: "Where to move the list" })
export type ListMove = typeof ListMove.Type
