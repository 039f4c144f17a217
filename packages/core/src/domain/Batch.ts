import * as Schema from "effect/Schema"
import { describe } from "./describe.ts"
import { IfRevision } from "./Revision.ts"
import { NewTodo, TodoId, TodoPatch } from "./Todo.ts"

const id = describe(TodoId, "The id of the todo")
const ifRevision = describe(
  Schema.optionalKey(IfRevision),
  "Write only if the todo is at this revision, at one of these, or at any (`*`)"
)

/** One operation of a batch. */
export const TodoOperation = Schema.Union([
  Schema.Struct({
    op: describe(Schema.Literal("create"), "Add a todo"),
    todo: describe(NewTodo, "The todo to add")
  }).annotate({ identifier: "TodoCreation", description: "Adds a todo" }),
  Schema.Struct({
    op: describe(Schema.Literal("update"), "Change some fields of a todo"),
    id,
    patch: describe(TodoPatch, "The fields to change"),
    ifRevision
  }).annotate({ identifier: "TodoUpdate", description: "Changes some fields of a todo" }),
  Schema.Struct({ op: describe(Schema.Literal("delete"), "Put a todo into the trash"), id, ifRevision }).annotate({
    identifier: "TodoDeletion",
    description: "Puts a todo into the trash"
  })
]).annotate({ identifier: "TodoOperation", description: "One operation of a batch" })
export type TodoOperation = typeof TodoOperation.Type

/** 1 to 100 operations, applied in order: all of them or none. */
export const TodoBatch = Schema.Struct({
  operations: describe(
    Schema.Array(TodoOperation).check(Schema.isBetweenLength(1, 100, { expected: "an array of 1 to 100 operations" })),
    "1 to 100 operations, applied in this order: all of them or none"
  )
}).annotate({ identifier: "TodoBatch", description: "Operations that all happen or none of them" })
export type TodoBatch = typeof TodoBatch.Type
