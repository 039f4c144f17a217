/** What can be said of a todo on the command line. */
import { Due, DueBound, ListId, Priority, TimeZone, TodoId, TodoSort } from "@todo/core/domain"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Argument from "effect/cli/Argument"
import * as Flag from "effect/cli/Flag"
import { boolean, paging, text, trash } from "./Flags.ts"

export const id = Argument.String("id").pipe(Argument.withSchema(TodoId), Argument.withDescription("The todo's id"))

export const title = Argument.String("title").pipe(Argument.withDescription("What is to be done"))

const tag = (description: string) => text("tag", description).pipe(Flag.withMetavar("TAG"), Flag.atLeast(0))

const list = Flag.String("list").pipe(Flag.withMetavar("ID"))

const bound = (name: string, description: string) =>
  Flag.String(name).pipe(
    Flag.withMetavar("DATE|TIME"),
    Flag.withSchema(DueBound),
    Flag.withDescription(`${description}: 2026-12-01, or 2026-12-01T00:00:00Z`),
    Flag.optional
  )

/** The fields that may be given; the rules are the core's. */
export const fields = {
  description: text("description", "More about it; may have several lines").pipe(Flag.optional),
  priority: Flag.Literals("priority", Priority.literals).pipe(
    Flag.withDescription("How much it matters"),
    Flag.optional
  ),
  due: Flag.String("due").pipe(
    Flag.withMetavar("DATE|DATETIME@ZONE"),
    Flag.withDescription("2026-12-01, or 2026-12-01T09:00@Europe/Paris"),
    Flag.filterMap(
      (value) => Result.getSuccess(decodeDue(parseDue(value))),
      () => "Expected a date like 2026-12-01, or a time in a zone like 2026-12-01T09:00@Europe/Paris"
    ),
    Flag.optional
  ),
  tag: tag("A tag; give it again for more"),
  listId: list.pipe(Flag.withSchema(ListId), Flag.withDescription("The list it is in"), Flag.optional)
}

/** `DATE` or `DATETIME@ZONE`, where the seconds may be left out. */
const parseDue = (text: string) => {
  const at = text.indexOf("@")
  if (at === -1) return { date: text }
  const dateTime = text.slice(0, at)
  return { dateTime: /T\d\d:\d\d$/.test(dateTime) ? `${dateTime}:00` : dateTime, timeZone: text.slice(at + 1) }
}

const decodeDue = Schema.decodeUnknownResult(Due)

/** The fields that `edit` changes: each can be given or cleared. */
export const changes = {
  ...fields,
  title: text("title", "What is to be done").pipe(Flag.optional),
  tag: tag("A tag; give it again for more. They replace those it has"),
  clearDescription: boolean("clear-description", "Take the description away"),
  clearDue: boolean("clear-due", "Take the due date away"),
  clearTags: boolean("clear-tags", "Take all tags away"),
  clearList: boolean("clear-list", "Take it out of its list")
}

/** Which todos, in which order, and which page of them. */
export const query = {
  completed: boolean("completed", "Only those that are done"),
  open: boolean("open", "Only those that are not done"),
  priority: Flag.Literals("priority", Priority.literals).pipe(
    Flag.withDescription("Only those with this priority"),
    Flag.optional
  ),
  tag: tag("Only those with this tag; give it again for more, all must match"),
  listId: list.pipe(
    Flag.withMetavar("ID|none"),
    Flag.withSchema(Schema.Union([ListId, Schema.Literal("none")])),
    Flag.withDescription("Only those in this list, or in none"),
    Flag.optional
  ),
  due: Flag.Literals("due", ["overdue", "today", "upcoming", "none"]).pipe(
    Flag.withDescription("Only those that are due then"),
    Flag.optional
  ),
  timeZone: Flag.String("time-zone").pipe(
    Flag.withMetavar("ZONE"),
    Flag.withSchema(TimeZone),
    Flag.withDescription(
      "Where days begin and end, Europe/Paris. Where it is not given: that of this machine, or with --json UTC"
    ),
    Flag.optional
  ),
  dueFrom: bound("due-from", "Only those that are due then or later"),
  dueTo: bound("due-to", "Only those that are due then or earlier"),
  q: text("search", "Only those with these words in title or description").pipe(Flag.optional),
  deleted: trash,
  sort: Flag.Literals("sort", TodoSort.literals).pipe(
    Flag.withDescription("The order; - in front means descending (--sort=-createdAt)"),
    Flag.optional
  ),
  ...paging
}
