import * as DateTime from "effect/DateTime"
import * as Struct from "effect/Struct"
import { Priority } from "../domain/Todo.ts"
import type { TodoQuery } from "../domain/TodoQuery.ts"
import type { Add } from "../database/KeysetPage.ts"
import { dateOf, dayOf, endOfDate, startOfDate, toTimestamp } from "./DueInstant.ts"
import { askedWords } from "./SearchWords.ts"

/** The time of the request. `overdue`, `today` and `upcoming` refer to it. */
export type Now = DateTime.Utc

/** The conditions of a query, as SQL. All of them must hold. The owner comes first. */
export const conditions = (query: TodoQuery, now: Now, add: Add): ReadonlyArray<string> => [
  "owner_id = $1",
  `deleted_at is ${query.deleted === true ? "not null" : "null"}`,
  ...(query.completed === undefined ? [] : [`completed_at is ${query.completed ? "not null" : "null"}`]),
  ...(query.priority === undefined ? [] : [`priority = ${add(Priority.literals.indexOf(query.priority))}`]),
  ...(query.tag === undefined || query.tag.length === 0 ? [] : [hidden(`tags @> ${add(query.tag)}::text[]`)]),
  ...(query.listId === undefined
    ? []
    : [query.listId === "none" ? "list_id is null" : `list_id = ${add(query.listId)}::uuid`]),
  ...(query.due === undefined ? [] : [due(query.due, query.timeZone ?? "UTC", now, add)]),
  ...(query.dueFrom === undefined && query.dueTo === undefined ? [] : [dueBetween(query, add)]),
  ...(query.q === undefined ? [] : [hasWords(query.q, add)])
]

/** The members of a query that select todos. */
export const filtersOf = (query: TodoQuery) => Struct.omit(query, ["count", "cursor", "limit", "sort", "timeZone"])

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
 * Compares instants, with both ends included. A todo that is due on a date counts as the last millisecond of that day in
 * the caller's zone. An end of the range that is a date means the whole day in that zone.
 */
const dueBetween = ({ dueFrom, dueTo, timeZone = "UTC" }: TodoQuery, add: Add): string => {
  const instant = (time: number) => `${add(toTimestamp(time))}::timestamptz`
  const date = (text: string) => `${add(text)}::date`
  const isDate = (text: string) => text.length === "2026-12-01".length
  const from = (text: string) =>
    isDate(text)
      ? `(due_at >= ${instant(startOfDate(text, timeZone))} or due_date >= ${date(text)})`
      : `(due_at >= ${instant(Date.parse(text))} or due_date >= ${date(dateOf(Date.parse(text), timeZone))})`
  // A day ends after the instant if it is the day of the next millisecond.
  const to = (text: string) =>
    isDate(text)
      ? `(due_at <= ${instant(endOfDate(text, timeZone))} or due_date <= ${date(text)})`
      : `(due_at <= ${instant(Date.parse(text))} or due_date < ${date(dateOf(Date.parse(text) + 1, timeZone))})`
  return [...(dueFrom === undefined ? [] : [from(dueFrom)]), ...(dueTo === undefined ? [] : [to(dueTo)])].join(" and ")
}

/**
 * Hides the selectivity of a condition from the planner. It then assumes half of the rows, and reads them in the requested
 * order until the page is full. Statistics cover all users, so a word that one user has in every todo would look rare.
 * With two words that all 20,000 todos of one of 102 users have, a page reads 2,073 blocks instead of 2,837. Measure with
 * the plans in `QueryPlans.test.ts`.
 */
const hidden = (condition: string): string => `case when ${condition} then true else false end`

/** Whether the row has every word of `q`; the last word may be incomplete. */
export const hasWords = (q: string, add: Add): string => {
  const words = askedWords(q)
  const last = add(words.at(-1) ?? "")
  const wholeWords = [...new Set(words.slice(0, -1))]
  const stored = "(t.title_words || t.description_words)"
  const conditions = [
    ...(wholeWords.length === 0 ? [] : [`${stored} @> ${add(wholeWords)}::text[]`]),
    /* sql */ `exists (select from unnest(${stored}) word where starts_with(word collate "C", ${last}))`
  ]
  return hidden(conditions.join(" and "))
}
