import * as Schema from "effect/Schema"
import { PageLimit } from "./Page.ts"
import { searchText, text } from "./Text.ts"
import { DueBound, TimeZone } from "./Time.ts"
import { ListId, Priority } from "./Todo.ts"

/** A schema for the sort orders of `names`. A name sorts ascending; with `-` in front, descending. */
export const sorts = <const Names extends ReadonlyArray<string>>(names: Names) =>
  Schema.Literals([...names, ...names.map((name: Names[number]) => `-${name}` as const)])

/**
 * A sort order of todos. `-` in front means descending. The id breaks ties. `due` sorts by instant; todos without a due
 * date come last in both directions. `title` ignores case.
 */
export const TodoSort = sorts(["position", "createdAt", "updatedAt", "due", "priority", "title"])
export type TodoSort = typeof TodoSort.Type

/** The `nextCursor` of the previous page. */
const Cursor = Schema.String

/** A query of todos. All conditions must hold. */
export const TodoQuery = Schema.Struct({
  completed: Schema.optionalKey(Schema.Boolean),
  priority: Schema.optionalKey(Priority),
  /** The todo has all of these tags. */
  tag: Schema.optionalKey(
    Schema.Array(text(1, 50)).check(Schema.isMaxLength(20, { expected: "an array of at most 20 tags" }))
  ),
  listId: Schema.optionalKey(Schema.Union([ListId, Schema.Literal("none")])),
  /**
   * `overdue`: open and past due. `today`: due on the current day in `timeZone`. `upcoming`: due on a later day. `none`:
   * without a due date.
   */
  due: Schema.optionalKey(Schema.Literals(["overdue", "today", "upcoming", "none"])),
  /** The time zone in which days begin and end; UTC by default. */
  timeZone: Schema.optionalKey(TimeZone),
  /**
   * Due at this instant or later, or on this day (`2026-12-01`, in `timeZone`) or later. A todo that is due on a date
   * counts as the last millisecond of its day.
   */
  dueFrom: Schema.optionalKey(DueBound),
  /** Due at this instant or earlier, or on this day or earlier. */
  dueTo: Schema.optionalKey(DueBound),
  /** Words in title or description; the last may be the beginning of a word. No character is an operator. */
  q: Schema.optionalKey(searchText(200)),
  /** `true`: only todos in the trash. `false` (default): only todos that are not in the trash. */
  deleted: Schema.optionalKey(Schema.Boolean),
  sort: Schema.optionalKey(TodoSort),
  limit: Schema.optionalKey(PageLimit),
  cursor: Schema.optionalKey(Cursor),
  /** Whether the page has `total`, the number of todos that meet the conditions over all pages. */
  count: Schema.optionalKey(Schema.Boolean)
})
export type TodoQuery = typeof TodoQuery.Type

/** A sort order of lists. `-` in front means descending. */
export const ListSort = sorts(["position", "createdAt", "updatedAt"])
export type ListSort = typeof ListSort.Type

/** A query of lists. `deleted: true` returns the lists in the trash. */
export const ListQuery = Schema.Struct({
  deleted: Schema.optionalKey(Schema.Boolean),
  sort: Schema.optionalKey(ListSort),
  limit: Schema.optionalKey(PageLimit),
  cursor: Schema.optionalKey(Cursor),
  count: Schema.optionalKey(Schema.Boolean)
})
export type ListQuery = typeof ListQuery.Type
