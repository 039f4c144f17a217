import * as Schema from "effect/Schema"
import { IfRevision } from "./Revision.ts"
import { NewTodo, TodoId, TodoPatch } from "./Todo.ts"

/** One step of a batch. */
export const TodoOperation = Schema.Union([
  Schema.Struct({ op: Schema.Literal("create"), todo: NewTodo }),
  Schema.Struct({
    op: Schema.Literal("update"),
    id: TodoId,
    patch: TodoPatch,
    ifRevision: Schema.optionalKey(IfRevision)
  }),
  Schema.Struct({ op: Schema.Literal("delete"), id: TodoId, ifRevision: Schema.optionalKey(IfRevision) })
]).annotate({ identifier: "TodoOperation" })
export type TodoOperation = typeof TodoOperation.Type

/** Up to 100 steps, of which all happen or none. */
export const TodoBatch = Schema.Struct({
  operations: Schema.Array(TodoOperation).check(Schema.isBetweenLength(1, 100))
}).annotate({ identifier: "TodoBatch" })
export type TodoBatch = typeof TodoBatch.Type
