import * as Schema from "effect/Schema"
import { describe } from "./describe.ts"
import { Revision } from "./Revision.ts"
import { ListId, Todo, TodoId } from "./Todo.ts"
import { TodoList } from "./TodoList.ts"

const change = {
  revision: describe(Revision, "The revision of the change"),
  deleted: describe(Schema.Boolean, "Whether the row is in the trash")
}

/** A todo or list after its latest change. `deleted` is `true` while it is in the trash. */
export const Change = Schema.Union([
  Schema.Struct({
    kind: describe(Schema.Literal("todo"), "A todo changed"),
    id: describe(TodoId, "The id of the todo"),
    ...change,
    todo: describe(Todo, "The todo after the change")
  }).annotate({ identifier: "TodoChange", description: "A todo after its latest change" }),
  Schema.Struct({
    kind: describe(Schema.Literal("list"), "A list changed"),
    id: describe(ListId, "The id of the list"),
    ...change,
    list: describe(TodoList, "The list after the change")
  }).annotate({ identifier: "ListChange", description: "A list after its latest change" })
]).annotate({ identifier: "Change", description: "A todo or a list as it is after its latest change" })
export type Change = typeof Change.Type

/** The limits and the default of the number of changes in a page. */
export const changesLimit = { min: 1, max: 500, default: 100 } as const

/** An opaque cursor into the change feed of a user. The id of a live event is such a cursor. */
export const ChangeCursor = Schema.String

/** The maximum number of changes in a page: 1 to 500. */
export const ChangesLimit = Schema.Int.check(
  Schema.isBetween(
    { minimum: changesLimit.min, maximum: changesLimit.max },
    { expected: `a whole number from ${changesLimit.min} to ${changesLimit.max}` }
  )
)

/** A query of the change feed: the changes after `since`, or from the start without it. */
export const ChangeQuery = Schema.Struct({
  since: Schema.optionalKey(ChangeCursor),
  limit: Schema.optionalKey(ChangesLimit)
})
export type ChangeQuery = typeof ChangeQuery.Type

/** A page of changes in revision order. `nextCursor` continues the feed even if the page is empty. */
export const ChangePage = Schema.Struct({
  changes: describe(Schema.Array(Change), "Each changed row once, at its latest revision, in the order of revisions"),
  nextCursor: describe(Schema.String, "Pass it as `since` to get what came after this page; never `null`"),
  hasMore: describe(Schema.Boolean, "Whether there are more changes already")
}).annotate({ identifier: "ChangePage", description: "A page of changes" })
export type ChangePage = typeof ChangePage.Type
