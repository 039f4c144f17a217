import * as DateTime from "effect/DateTime"
import { Priority } from "../domain/Todo.ts"
import type { TodoQuery } from "../domain/TodoQuery.ts"
import { dateOf, dayOf, endOfDate, startOfDate, toTimestamp } from "./DueInstant.ts"
import { endOfPrefix, words } from "./Words.ts"

/** The time of the request, which `overdue`, `today` and `upcoming` are about. */
export type Now = DateTime.Utc

type Add = (value: unknown) => string

/** What a query asks of a todo, as SQL conditions of which all must hold; the owner comes first. */
export const conditions = (schema: string, query: TodoQuery, now: Now, add: Add): ReadonlyArray<string> => [
  "owner_id = me.id",
  `deleted_at is ${query.deleted === true ? "not null" : "null"}`,
  ...(query.completed === undefined ? [] : [`completed_at is ${query.completed ? "not null" : "null"}`]),
  ...(query.priority === undefined ? [] : [`priority = ${add(Priority.literals.indexOf(query.priority))}`]),
  ...(query.tag === undefined || query.tag.length === 0 ? [] : [`tags @> ${add(query.tag)}::text[]`]),
  ...(query.listId === undefined
    ? []
    : [query.listId === "none" ? "list_id is null" : `list_id = ${add(query.listId)}::uuid`]),
  ...(query.due === undefined ? [] : [due(query.due, query.timeZone ?? "UTC", now, add)]),
  ...(query.dueFrom === undefined && query.dueTo === undefined ? [] : [dueBetween(query, add)]),
  ...(query.q === undefined ? [] : search(schema, query.q, add))
]

const due = (kind: NonNullable<TodoQuery["due"]>, timeZone: string, now: Now, add: Add): string => {
  const today = dayOf(DateTime.toEpochMillis(now), timeZone)
  switch (kind) {
    case "none":
      return "due_date is null and due_at is null"
    case "overdue":
      return `completed_at is null and (due_date < ${add(today.date)}::date or due_at < ${add(DateTime.formatIso(now))}::timestamptz)`
    case "today":
      return `(due_date = ${add(today.date)}::date
  or due_at >= ${add(today.start)}::timestamptz and due_at < ${add(today.end)}::timestamptz)`
    case "upcoming":
      return `(due_date > ${add(today.date)}::date or due_at >= ${add(today.end)}::timestamptz)`
  }
}

/**
 * By instant, both ends included; a date is the last millisecond of its day in the caller's zone. An end of the range that
 * is a date is a whole day there.
 */
const dueBetween = ({ dueFrom, dueTo, timeZone = "UTC" }: TodoQuery, add: Add): string => {
  const instant = (time: number) => `${add(toTimestamp(time))}::timestamptz`
  const date = (text: string) => `${add(text)}::date`
  const isDate = (text: string) => text.length === "2026-12-01".length
  const from = (text: string) =>
    isDate(text)
      ? `(due_at >= ${instant(startOfDate(text, timeZone))} or due_date >= ${date(text)})`
      : `(due_at >= ${instant(Date.parse(text))} or due_date >= ${date(dateOf(Date.parse(text), timeZone))})`
  // The first day that does not end in time is the one that it is right after that instant.
  const to = (text: string) =>
    isDate(text)
      ? `(due_at <= ${instant(endOfDate(text, timeZone))} or due_date <= ${date(text)})`
      : `(due_at <= ${instant(Date.parse(text))} or due_date < ${date(dateOf(Date.parse(text) + 1, timeZone))})`
  return [...(dueFrom === undefined ? [] : [from(dueFrom)]), ...(dueTo === undefined ? [] : [to(dueTo)])].join(" and ")
}

/**
 * Every word of `q`, the last one as a beginning; by the primary key of `todo_words`. Each word is
 * looked up once, and what they share is put together before any todo is read: as joins, many words
 * take seconds to plan, and common ones are planned badly.
 */
const search = (schema: string, q: string, add: Add): ReadonlyArray<string> => {
  const asked = words(q)
  const last = asked.at(-1) ?? ""
  const conditions = [...new Set(asked.slice(0, -1))]
    .map((word) => `word = ${add(word)}`)
    .concat(`word >= ${add(last)} and word < ${add(endOfPrefix(last))}`)
  const found = conditions.map(
    (condition) => `select todo_id from ${schema}.todo_words where owner_id = me.id and ${condition}`
  )
  return [`id = any (array(${found.join(" intersect ")}))`]
}
