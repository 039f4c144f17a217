import * as Schema from "effect/Schema"
import { describe } from "./describe.ts"
import { Revision } from "./Revision.ts"
import { visibleText } from "./Text.ts"
import { Timestamp } from "./Time.ts"
import { ListId, Position } from "./Todo.ts"

const Name = describe(visibleText(200), "The name: 1 to 200 code points, not all of them white space")

/** A list of todos. Its JSON is its type. */
export const TodoList = Schema.Struct({
  id: describe(ListId, "The id of the list"),
  name: Name,
  position: Position,
  revision: describe(Revision, "The revision of the last change of this list; the entity tag is the same number"),
  createdAt: describe(Timestamp, "When the list was created"),
  updatedAt: describe(Timestamp, "When the list was last changed"),
  deletedAt: describe(Schema.NullOr(Timestamp), "When the list was put into the trash; `null` while it is not there")
}).annotate({ identifier: "List", description: "A list of todos" })
export type TodoList = typeof TodoList.Type

/** The fields of a list that a client may set. */
export const NewList = Schema.Struct({ name: Name }).annotate({
  identifier: "NewList",
  description: "A list to write"
})
export type NewList = typeof NewList.Type

/** A change of some fields of a list. An absent field keeps its value. */
export const ListPatch = Schema.Struct({ name: Schema.optionalKey(Name) }).annotate({
  identifier: "ListPatch",
  description: "The fields to change: an absent field keeps its value"
})
export type ListPatch = typeof ListPatch.Type

/** What happens to the todos of a deleted list: `trash` moves them to the trash too, `keep` leaves them without a list. */
export const ListTodos = Schema.Literals(["trash", "keep"])
export type ListTodos = typeof ListTodos.Type
