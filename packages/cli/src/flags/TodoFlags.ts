/** Flags for the fields and filters of todos. */
import { Due, DueBound, ListId, Priority, TimeZone, TodoId, TodoSort } from "@todo/core/domain"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Argument from "effect/cli/Argument"
import * as Flag from "effect/cli/Flag"
import * as Flags from "./Flags.ts"

export const id = Argument.String("id").pipe(Flags.withSchema(TodoId), Argument.withDescription("The todo's id"))

export const title = Argument.String("title").pipe(Argument.withDescription("The title of the todo"))

const tag = (description: string) => Flags.text("tag", description).pipe(Flag.withMetavar("TAG"), Flag.atLeast(0))

const list = Flag.String("list").pipe(Flag.withMetavar("ID"))

const bound = (name: string, description: string) =>
  Flag.String(name).pipe(
    Flag.withMetavar("DATE|TIME"),
    Flags.withSchema(DueBound),
    Flag.withDescription(`${description}: 2026-12-01, or 2026-12-01T00:00:00Z`),
    Flag.optional
  )

/** The fields of a todo. The core validates title, description and tags. */
export const fields = {
  description: Flags.text("description", "The description; may have several lines").pipe(Flag.optional),
  priority: Flag.Literals("priority", Priority.literals).pipe(Flag.withDescription("The priority"), Flag.optional),
  due: Flag.String("due").pipe(
    Flag.withMetavar("DATE|DATETIME@ZONE"),
    Flag.withDescription(
      "The due date, such as 2026-12-01, or a due time with its time zone, such as 2026-12-01T09:00@Europe/Paris"
    ),
    Flag.filterMap(
      (value) => Result.getSuccess(decodeDue(parseDue(value))),
      () => "must be a date like 2026-12-01, or a time in a zone like 2026-12-01T09:00@Europe/Paris"
    ),
    Flag.optional
  ),
  tag: tag("A tag. Repeat the flag for several tags"),
  listId: list.pipe(Flags.withSchema(ListId), Flag.withDescription("The list that the todo belongs to"), Flag.optional)
}

/** Parses `DATE` or `DATETIME@ZONE`. The seconds are optional. */
const parseDue = (text: string) => {
  const at = text.indexOf("@")
  if (at === -1) return { date: text }
  const dateTime = text.slice(0, at)
  return { dateTime: /T\d\d:\d\d$/.test(dateTime) ? `${dateTime}:00` : dateTime, timeZone: text.slice(at + 1) }
}

const decodeDue = Schema.decodeUnknownResult(Due)

/** The fields that `edit` sets. */
export const changes = {
  ...fields,
  title: Flags.text("title", "The title of the todo").pipe(Flag.optional),
  tag: tag("A tag. Repeat the flag for several tags. They replace the present tags")
}

/** The fields that `edit` clears: it sets them to their defaults. */
export const clear = {
  description: Flags.boolean("clear-description", "Remove the description"),
  due: Flags.boolean("clear-due", "Remove the due date"),
  tags: Flags.boolean("clear-tags", "Remove all tags"),
  listId: Flags.boolean("clear-list", "Remove the todo from its list")
}

/** Filters, order and page of `todo list`. */
export const query = {
  completed: Flags.boolean("completed", "Only completed todos"),
  open: Flags.boolean("open", "Only open todos"),
  priority: Flag.Literals("priority", Priority.literals).pipe(
    Flag.withDescription("Only todos with this priority"),
    Flag.optional
  ),
  tag: tag("Only todos with this tag. Repeat the flag to require several tags"),
  listId: list.pipe(
    Flag.withMetavar("ID|none"),
    Flags.withSchema(Schema.Union([ListId, Schema.Literal("none")])),
    Flag.withDescription("Only todos in this list; none: only todos without a list"),
    Flag.optional
  ),
  due: Flag.Literals("due", ["overdue", "today", "upcoming", "none"]).pipe(
    Flag.withDescription("Only todos that are due then; none: only todos without a due date"),
    Flag.optional
  ),
  timeZone: Flag.String("time-zone").pipe(
    Flag.withMetavar("ZONE"),
    Flags.withSchema(TimeZone),
    Flag.withDescription("The time zone for dates, such as Europe/Paris (default: this machine's; with --json: UTC)"),
    Flag.optional
  ),
  dueFrom: bound("due-from", "Only todos that are due at this time or later"),
  dueTo: bound("due-to", "Only todos that are due at this time or earlier"),
  q: Flags.text("search", "Only todos with these words in the title or description").pipe(Flag.optional),
  deleted: Flags.trash,
  sort: Flag.Literals("sort", TodoSort.literals).pipe(
    Flag.withDescription("The order. A leading - means descending (--sort=-createdAt)"),
    Flag.optional
  ),
  ...Flags.paging
}
