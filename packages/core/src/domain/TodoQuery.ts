import * as Schema from "effect/Schema"
import { PageLimit } from "./Page.ts"
import { searchText, text } from "./Text.ts"
import { DueBound, TimeZone } from "./Time.ts"
import { ListId, Priority } from "./Todo.ts"

/** A closed list of orders, each also descending, with `-` in front. */
export const sorts = <const Names extends ReadonlyArray<string>>(names: Names) =>
  Schema.Literals([...names, ...names.map((name: Names[number]) => `-${name}` as const)])

/**
 * An order of todos; `-` in front means descending, and ties are broken by id. `due` is
 * by instant, with those that have none last either way; `title` ignores case.
 */
export const TodoSort = sorts(["position", "createdAt", "updatedAt", "due", "priority", "title"])
export type TodoSort = typeof TodoSort.Type

/** A cursor as `nextCursor` gave it. */
const Cursor = Schema.String

/** Which todos, in which order, and which page of them. All conditions must hold. */
export const TodoQuery = Schema.Struct({
  completed: Schema.optionalKey(Schema.Boolean),
  priority: Schema.optionalKey(Priority),
  /** All of these. */
  tag: Schema.optionalKey(Schema.Array(text(1, 50)).check(Schema.isMaxLength(20))),
  listId: Schema.optionalKey(Schema.Union([ListId, Schema.Literal("none")])),
  /** `overdue`: open and past. `today` and `upcoming`: of the current day in `timeZone`, and of later ones. */
  due: Schema.optionalKey(Schema.Literals(["overdue", "today", "upcoming", "none"])),
  /** The caller's zone, which says when a day ends; UTC where nothing is said. */
  timeZone: Schema.optionalKey(TimeZone),
  /**
   * Due at this instant or later, or on this day (`2026-12-01`, in `timeZone`) or later. A todo that is due on a date
   * counts as the last millisecond of its day.
   */
  dueFrom: Schema.optionalKey(DueBound),
  /** Due at this instant or earlier, or on this day or earlier. */
  dueTo: Schema.optionalKey(DueBound),
  /** Words that title or description have; the last may be the beginning of one. No character is an operator. */
  q: Schema.optionalKey(searchText(200)),
  /** Only what is in the trash; otherwise only what is not. */
  deleted: Schema.optionalKey(Schema.Boolean),
  sort: Schema.optionalKey(TodoSort),
  limit: Schema.optionalKey(PageLimit),
  cursor: Schema.optionalKey(Cursor),
  /** Also count what meets the conditions, over all pages. */
  count: Schema.optionalKey(Schema.Boolean)
})
export type TodoQuery = typeof TodoQuery.Type

/** An order of lists. */
export const ListSort = sorts(["position", "createdAt", "updatedAt"])
export type ListSort = typeof ListSort.Type

/** Which lists, in which order, and which page of them. */
export const ListQuery = Schema.Struct({
  deleted: Schema.optionalKey(Schema.Boolean),
  sort: Schema.optionalKey(ListSort),
  limit: Schema.optionalKey(PageLimit),
  cursor: Schema.optionalKey(Cursor),
  count: Schema.optionalKey(Schema.Boolean)
})
export type ListQuery = typeof ListQuery.Type
