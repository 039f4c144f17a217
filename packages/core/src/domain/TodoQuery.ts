import * as Schema from "effect/Schema"
import { PageLimit } from "./Page.ts"
import { text } from "./Text.ts"
import { ListId, Priority } from "./Todo.ts"

const sorts = ["position", "createdAt", "updatedAt"] as const

/** An order of todos; `-` in front means descending. Ties are broken by id. */
export const TodoSort = Schema.Literals([...sorts, ...sorts.map((sort) => `-${sort}` as const)])
export type TodoSort = typeof TodoSort.Type

/** Which todos, in which order, and which page of them. All conditions must hold. */
export const TodoQuery = Schema.Struct({
  completed: Schema.optionalKey(Schema.Boolean),
  priority: Schema.optionalKey(Priority),
  tag: Schema.optionalKey(Schema.Array(text(1, 50)).check(Schema.isMaxLength(20))),
  listId: Schema.optionalKey(Schema.Union([ListId, Schema.Literal("none")])),
  sort: Schema.optionalKey(TodoSort),
  limit: Schema.optionalKey(PageLimit),
  cursor: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(2_048)))
})
export type TodoQuery = typeof TodoQuery.Type
