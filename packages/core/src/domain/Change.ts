import * as Schema from "effect/Schema"
import { Revision } from "./Revision.ts"
import { ListId, Todo, TodoId } from "./Todo.ts"
import { TodoList } from "./TodoList.ts"

const change = { revision: Revision, deleted: Schema.Boolean }

/** A row as it is after its latest change; `deleted` while it is in the trash. */
export const Change = Schema.Union([
  Schema.Struct({ kind: Schema.Literal("todo"), id: TodoId, ...change, todo: Todo }),
  Schema.Struct({ kind: Schema.Literal("list"), id: ListId, ...change, list: TodoList })
]).annotate({ identifier: "Change" })
export type Change = typeof Change.Type

/** How many changes a page may have, and has when nothing is said. */
export const changesLimit = { min: 1, max: 500, default: 100 } as const

/** A cursor into the changes of a user, opaque; the id of a live event is one. */
export const ChangeCursor = Schema.String

/** A number of changes that a page may have. */
export const ChangesLimit = Schema.Int.check(Schema.isBetween({ minimum: changesLimit.min, maximum: changesLimit.max }))

/** Which changes: those after the cursor, all where there is none. */
export const ChangeQuery = Schema.Struct({
  since: Schema.optionalKey(ChangeCursor),
  limit: Schema.optionalKey(ChangesLimit)
})
export type ChangeQuery = typeof ChangeQuery.Type

/** A page of changes in revision order. `nextCursor` continues, also where there is nothing yet. */
export const ChangePage = Schema.Struct({
  changes: Schema.Array(Change),
  nextCursor: Schema.String,
  hasMore: Schema.Boolean
}).annotate({ identifier: "ChangePage" })
export type ChangePage = typeof ChangePage.Type
