import * as Schema from "effect/Schema"
import { describe } from "./describe.ts"
import { ListId, TodoId } from "./Todo.ts"

const move = <Id extends Schema.Constraint>(before: Id, after: Id) =>
  Schema.Union([Schema.Struct({ before }), Schema.Struct({ after })])

/** The new place of a todo: directly before or directly after another todo of the user. */
export const TodoMove = move(
  describe(TodoId, "The todo that it shall stand right before"),
  describe(TodoId, "The todo that it shall stand right after")
).annotate({ identifier: "TodoMove", description: "Where to move the todo" })
export type TodoMove = typeof TodoMove.Type

/** The new place of a list: directly before or directly after another list of the user. */
export const ListMove = move(
  describe(ListId, "The list that it shall stand right before"),
  describe(ListId, "The list that it shall stand right after")
).annotate({ identifier: "ListMove", description: "Where to move the list" })
export type ListMove = typeof ListMove.Type
