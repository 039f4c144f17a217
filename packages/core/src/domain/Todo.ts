import * as Schema from "effect/Schema"
import { Revision } from "./Revision.ts"
import { text, visibleText } from "./Text.ts"
import { CalendarDate, LocalDateTime, TimeZone, Timestamp } from "./Time.ts"

const uuid = Schema.String.check(
  Schema.isPattern(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/u, {
    expected: "a lower-case UUID"
  })
).annotate({ format: "uuid" })

/** A todo's identity, unique for its user. Version 7 when the server makes it. */
export const TodoId = uuid.pipe(Schema.brand("TodoId"))
export type TodoId = typeof TodoId.Type

/** A list's identity, unique for its user. */
export const ListId = uuid.pipe(Schema.brand("ListId"))
export type ListId = typeof ListId.Type

/** How much it matters, in ascending order. */
export const Priority = Schema.Literals(["none", "low", "medium", "high"])
export type Priority = typeof Priority.Type

/**
 * When a todo is due: a day, or a wall-clock time in a zone. Stored as given, so
 * that it does not drift when the rules of the zone change.
 */
export const Due = Schema.Union([
  Schema.Struct({ date: CalendarDate }),
  Schema.Struct({ dateTime: LocalDateTime, timeZone: TimeZone })
]).annotate({ identifier: "Due" })
export type Due = typeof Due.Type

const Title = visibleText(500)
const Description = Schema.NullOr(text(0, 10_000))
const Tags = Schema.Array(text(1, 50)).check(Schema.isMaxLength(20), Schema.isUnique())
/** Where something stands among its siblings: opaque, compared by code point, changed by moves alone. */
export const Position = Schema.String.annotate({ description: "Opaque order key, compared by code point" })

/**
 * A todo, in one shape everywhere: over HTTP, in the core, in exports. Its JSON
 * form is its type.
 */
export const Todo = Schema.Struct({
  id: TodoId,
  title: Title,
  description: Description,
  completed: Schema.Boolean,
  completedAt: Schema.NullOr(Timestamp),
  priority: Priority,
  due: Schema.NullOr(Due),
  tags: Tags,
  listId: Schema.NullOr(ListId),
  position: Position,
  revision: Revision,
  createdAt: Timestamp,
  updatedAt: Timestamp,
  deletedAt: Schema.NullOr(Timestamp)
}).annotate({ identifier: "Todo" })
export type Todo = typeof Todo.Type

const settable = {
  description: Schema.optionalKey(Description),
  completed: Schema.optionalKey(Schema.Boolean),
  priority: Schema.optionalKey(Priority),
  due: Schema.optionalKey(Schema.NullOr(Due)),
  tags: Schema.optionalKey(Tags),
  listId: Schema.optionalKey(Schema.NullOr(ListId))
}

/** What a client may set. All but `title` have a default: open, no priority, no due date, no tags, no list. */
export const NewTodo = Schema.Struct({ title: Title, ...settable }).annotate({ identifier: "NewTodo" })
export type NewTodo = typeof NewTodo.Type

/** A change of some fields: an absent field keeps its value, `null` clears it (RFC 7396). */
export const TodoPatch = Schema.Struct({ title: Schema.optionalKey(Title), ...settable }).annotate({
  identifier: "TodoPatch"
})
export type TodoPatch = typeof TodoPatch.Type
