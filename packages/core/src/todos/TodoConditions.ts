import * as DateTime from "effect/DateTime"
import { Priority } from "../domain/Todo.ts"
import type { TodoQuery } from "../domain/TodoQuery.ts"
import { dateOf, dayOf, endOfDate, startOfDate, toTimestamp } from "./DueInstant.ts"
import { askedWords, endOfPrefix, tagWord } from "./SearchWords.ts"
import { isRenewed } from "./StoredWords.ts"

/** The time of the request, which `overdue`, `today` and `upcoming` are about. */
export type Now = DateTime.Utc

type Add = (value: unknown) => string

/** What a query asks of a todo, as SQL conditions of which all must hold; the owner comes first. */
export const conditions = (query: TodoQuery, now: Now, add: Add): ReadonlyArray<string> => [
  "owner_id = me.id",
  `deleted_at is ${query.deleted === true ? "not null" : "null"}`,
  ...(query.completed === undefined ? [] : [`completed_at is ${query.completed ? "not null" : "null"}`]),
  ...(query.priority === undefined ? [] : [`priority = ${add(Priority.literals.indexOf(query.priority))}`]),
  ...(query.tag === undefined || query.tag.length === 0 ? [] : [hidden(`tags @> ${add(query.tag)}::text[]`)]),
  ...(query.listId === undefined
    ? []
    : [query.listId === "none" ? "list_id is null" : `list_id = ${add(query.listId)}::uuid`]),
  ...(query.due === undefined ? [] : [due(query.due, query.timeZone ?? "UTC", now, add)]),
  ...(query.dueFrom === undefined && query.dueTo === undefined ? [] : [dueBetween(query, add)]),
  ...(query.q === undefined ? [] : [has(query.q, add)])
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
  // A day ends after the instant if it is the day of the next millisecond.
  const to = (text: string) =>
    isDate(text)
      ? `(due_at <= ${instant(endOfDate(text, timeZone))} or due_date <= ${date(text)})`
      : `(due_at <= ${instant(Date.parse(text))} or due_date < ${date(dateOf(Date.parse(text) + 1, timeZone))})`
  return [...(dueFrom === undefined ? [] : [from(dueFrom)]), ...(dueTo === undefined ? [] : [to(dueTo)])].join(" and ")
}

/**
 * Hides the selectivity of a condition from the planner. It then assumes half of the rows, and reads them in the requested
 * order until the page is full. Statistics cover all users, and would call a word rare that one user has in every todo.
 */
const hidden = (condition: string): string => `case when ${condition} then true else false end`

/** Whether the row has every word of `q`; the last word may be incomplete. */
const has = (q: string, add: Add): string => {
  const asked = askedWords(q)
  const last = add(asked.at(-1) ?? "")
  const whole = [...new Set(asked.slice(0, -1))]
  const own = "(t.title_words || t.description_words)"
  const conditions = [
    ...(whole.length === 0 ? [] : [`${own} @> ${add(whole)}::text[]`]),
    `exists (select from unnest(${own}) word where starts_with(word collate "C", ${last}))`
  ]
  return hidden(conditions.join(" and "))
}

/** With up to this many candidates, all of them are read. With more, reading in order fills a page sooner. */
const few = 1_000

/** Two plans for one query, as parts of its statement. At run time one of them finds nothing and costs nothing. */
export interface Ways {
  /** The common table expression that both conditions refer to. It goes in front of the statement. */
  readonly given: string
  /** The condition of the plan that reads the few candidates. */
  readonly narrow: string
  /** The condition of the plan that reads all rows in order. */
  readonly wide: string
}

/**
 * The two plans of a query, or `undefined` if no part of it can be looked up in an index.
 *
 * The statement looks up words and tags one after the other, until it finds one that few todos have. Both plans check all
 * conditions. The statement chooses while it runs, because the planner's statistics do not describe a single user.
 */
export const ways = (schema: string, query: TodoQuery, add: Add): Ways | undefined => {
  const sources = [
    ...byWord(query.q, add).map((condition) => `select todo_id as id ${indexed(schema, condition)}`),
    ...(query.completed === true && !byPosition(query) ? [done(schema)] : [])
  ]
  const tags = [...new Set(query.tag)].map(
    (tag) => `select todo_id as id ${indexed(schema, `word = ${add(tagWord(tag))}`)}`
  )
  if (sources.length + tags.length === 0) return undefined
  const look = (source: string) => `(select case when count(*) <= ${few} then coalesce(array_agg(id), '{}') end
  from (${source} limit ${few + 1}) one)`
  const looked = [...sources.map(look), ...tags.map((tag) => `case when ${isRenewed(schema)} then ${look(tag)} end`)]
  return {
    given: `with found as materialized (select coalesce(${looked.join(", ")}) as ids)`,
    narrow: "id = any ((select ids from found)::uuid[])",
    wide: "(select ids is null from found)"
  }
}

/** Counts the todos of a query that asks for words only, from the index of words, if the candidates are many. */
export const countByWord = (schema: string, q: string, add: Add): string => {
  const conditions = byWord(q, add)
  const [first = ""] = conditions
  const all = conditions.map((condition) => `select todo_id ${indexed(schema, condition)}`).join(" intersect ")
  const found =
    conditions.length > 1
      ? `(select count(*) from (${all}) matches)`
      : // A todo is found twice only if two of its words have the same beginning.
        `case when (select min(word) = max(word) ${indexed(schema, first)})
    then (select count(*) ${indexed(schema, first)})
    else (select count(distinct todo_id) ${indexed(schema, first)}) end`
  return `${found} - (
    select count(*) from ${schema}.todos t where owner_id = me.id and deleted_at is not null and ${has(q, add)}
  )`
}

/** Conditions for the words of `q`, long words first, because they are rarer. The last word may be incomplete. */
const byWord = (q: string | undefined, add: Add): ReadonlyArray<string> => {
  if (q === undefined) return []
  const asked = askedWords(q)
  const last = asked.at(-1) ?? ""
  return [...new Set(asked.slice(0, -1))]
    .toSorted((one, other) => other.length - one.length)
    .map((whole) => `word = ${add(whole)}`)
    .concat(`word >= ${add(last === "" ? "!" : last)} and word < ${add(endOfPrefix(last))}`)
}

/** Uses the primary key of `todo_words`. */
const indexed = (schema: string, condition: string) =>
  `from ${schema}.todo_words where owner_id = me.id and ${condition}`

/** Whether the order is that of the index `todos_done`. */
const byPosition = ({ sort = "position" }: TodoQuery): boolean => sort === "position" || sort === "-position"

/** Uses the index `todos_done`. */
const done = (schema: string) =>
  `select id from ${schema}.todos where owner_id = me.id and completed_at is not null order by position`
