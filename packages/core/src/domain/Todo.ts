import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"
import { Revision } from "./Revision.ts"
import { text, visibleText } from "./Text.ts"
import { describe } from "./describe.ts"
import { CalendarDate, LocalDateTime, TimeZone, Timestamp } from "./Time.ts"

const hex = (letters: string): RegExp => {
  const digits = (count: number) => `[0-9${letters}]{${count}}`
  return new RegExp(`^${[8, 4, 4, 4, 12].map(digits).join("-")}$`, "u")
}

const lowerCase = Schema.String.check(Schema.isPattern(hex("a-f"), { expected: "a UUID" }))

/** UUIDs are accepted in any case and written in lower case (RFC 9562, section 4). */
const anyCase = (description: string) =>
  Schema.String.check(Schema.isPattern(hex("a-fA-F"), { expected: "a UUID" })).annotate({ format: "uuid", description })

/** The id of a todo: a UUID, unique for its user. Ids made by this package have version 7. */
export const TodoId = anyCase("The id of a todo: a UUID").pipe(
  Schema.decodeTo(lowerCase.pipe(Schema.brand("TodoId")), SchemaTransformation.toLowerCase())
)
export type TodoId = typeof TodoId.Type

/** The id of a list: a UUID, unique for its user. */
export const ListId = anyCase("The id of a list: a UUID").pipe(
  Schema.decodeTo(lowerCase.pipe(Schema.brand("ListId")), SchemaTransformation.toLowerCase())
)
export type ListId = typeof ListId.Type

/** The priority of a todo, in ascending order. */
export const Priority = Schema.Literals(["none", "low", "medium", "high"])
export type Priority = typeof Priority.Type

/**
 * When a todo is due: a day, or a wall-clock time in a time zone. It is stored as given, so that it stays right when the
 * rules of the zone change.
 */
export const Due = Schema.Union([
  Schema.Struct({ date: describe(CalendarDate, "The day, `YYYY-MM-DD`") }),
  Schema.Struct({
    dateTime: describe(LocalDateTime, "The wall-clock time in `timeZone`, `YYYY-MM-DDTHH:MM:SS`"),
    timeZone: describe(TimeZone, "The IANA time zone, such as `Europe/Paris`")
  })
]).annotate({ identifier: "Due", description: "When a todo is due: a day, or a wall-clock time in a time zone" })
export type Due = typeof Due.Type

const Title = describe(visibleText(500), "What there is to do: 1 to 500 code points, not all of them white space")
const Description = describe(Schema.NullOr(text(0, 10_000)), "Notes, up to 10,000 code points")
const Completed = describe(Schema.Boolean, "Whether the todo is done")
const Urgency = describe(Priority, "How much the todo matters; `none` is the lowest")
const DueOrNone = describe(Schema.NullOr(Due), "When the todo is due, if at all")
const Tags = describe(
  Schema.Array(text(1, 50)).check(
    Schema.isMaxLength(20, { expected: "an array of at most 20 tags" }),
    Schema.isUnique({ message: "must not have the same tag twice" })
  ),
  "Up to 20 different tags of 1 to 50 code points each"
)
const ListOrNone = describe(Schema.NullOr(ListId), "The list that the todo is in, if any")
/** An opaque sort key, compared by code point. Only a move changes it. */
export const Position = describe(Schema.String, "Opaque sort key, compared by code point; only a move changes it")

/** A todo. HTTP, services and exports use the same shape, and its JSON is its type. */
export const Todo = Schema.Struct({
  id: describe(TodoId, "The id of the todo"),
  title: Title,
  description: Description,
  completed: Completed,
  completedAt: describe(Schema.NullOr(Timestamp), "When the todo was last completed; `null` while it is open"),
  priority: Urgency,
  due: DueOrNone,
  tags: Tags,
  listId: ListOrNone,
  position: Position,
  revision: describe(Revision, "The revision of the last change of this todo; the entity tag is the same number"),
  createdAt: describe(Timestamp, "When the todo was created"),
  updatedAt: describe(Timestamp, "When the todo was last changed"),
  deletedAt: describe(Schema.NullOr(Timestamp), "When the todo was put into the trash; `null` while it is not there")
}).annotate({ identifier: "Todo", description: "A todo" })
export type Todo = typeof Todo.Type

const settable = {
  description: Schema.optionalKey(Description),
  completed: Schema.optionalKey(Completed),
  priority: Schema.optionalKey(Urgency),
  due: Schema.optionalKey(DueOrNone),
  tags: Schema.optionalKey(Tags),
  listId: Schema.optionalKey(ListOrNone)
}

/** The fields of a todo that a client may set. Defaults: no description, open, no priority, no due date, no tags, no list. */
export const NewTodo = Schema.Struct({ title: Title, ...settable }).annotate({
  identifier: "NewTodo",
  description: "A todo to write; what is left out gets its default"
})
export type NewTodo = typeof NewTodo.Type

/** A change of some fields: an absent field keeps its value, `null` clears it (RFC 7396). */
export const TodoPatch = Schema.Struct({ title: Schema.optionalKey(Title), ...settable }).annotate({
  identifier: "TodoPatch",
  description: "The fields to change: an absent field keeps its value, `null` clears it"
})
export type TodoPatch = typeof TodoPatch.Type
