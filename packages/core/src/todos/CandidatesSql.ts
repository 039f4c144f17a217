/**
 * Two plans for a search. If few todos have one of the words, their ids are looked up in the index of words, and only these
 * todos are read. If many todos have every word, all todos are read in the order of the page, until the page is full.
 *
 * A statement has both plans and chooses while it runs, because the planner's statistics do not describe a single user. The
 * other plan then finds nothing and costs nothing. Both check all conditions.
 */
import type { TodoQuery } from "../domain/TodoQuery.ts"
import type { Add } from "../database/KeysetPage.ts"
import { askedWords, endOfPrefix, tagWord } from "./SearchWords.ts"
import { isRenewed } from "./StoredWordsSql.ts"
import { hasWords } from "./TodoConditionsSql.ts"
import type { QuotedSchema } from "../schema/SchemaName.ts"

/** With up to this many candidates, all of them are read. With more, reading in order fills a page sooner. */
const maxCandidates = 1_000

/** The two plans, as parts of a statement. */
export interface Plans {
  /** The common table expression that both conditions refer to. It goes in front of the statement. */
  readonly candidates: string
  /** The condition of the plan that reads the candidates. */
  readonly lookUp: string
  /** The condition of the plan that reads all todos in order. */
  readonly scan: string
}

/**
 * The plans of a query, or `undefined` if no part of it can be looked up in an index. The statement looks up words, the
 * completed todos and tags one after the other, until it finds one that at most `maxCandidates` todos have.
 *
 * The count for `q: "milk", completed: true`, with `...` for the conditions of the query:
 *
 * with candidates as materialized (select coalesce((
 *   select case when count(*) <= 1000 then coalesce(array_agg(id), '{}') end
 *   from (select todo_id as id from "todo".todo_words where owner_id = $1 and word >= $3 and word < $4 limit 1001) one
 * )) as ids)
 * select sum(n) from (
 *   select count(*) as n from "todo".todos t where ... and id = any ((select ids from candidates)::uuid[])
 *   union all
 *   select count(*) as n from "todo".todos t where ... and (select ids is null from candidates)
 * ) counts
 */
export const plans = (schema: QuotedSchema, query: TodoQuery, add: Add): Plans | undefined => {
  const sources = [
    ...wordConditions(query.q, add).map(
      (condition) => /* sql */ `select todo_id as id ${fromWords(schema, condition)}`
    ),
    ...(query.completed === true && !isByPosition(query) ? [completed(schema)] : [])
  ]
  const tags = [...new Set(query.tag)].map(
    (tag) => /* sql */ `select todo_id as id ${fromWords(schema, `word = ${add(tagWord(tag))}`)}`
  )
  if (sources.length + tags.length === 0) return undefined
  const idsUnlessMany = (source: string) => /* sql */ `(
  select case when count(*) <= ${maxCandidates} then coalesce(array_agg(id), '{}') end
  from (${source} limit ${maxCandidates + 1}) one
)`
  const lookUps = [
    ...sources.map(idsUnlessMany),
    ...tags.map((tag) => `case when ${isRenewed(schema)} then ${idsUnlessMany(tag)} end`)
  ]
  return {
    candidates: /* sql */ `with candidates as materialized (select coalesce(${lookUps.join(", ")}) as ids)`,
    lookUp: "id = any ((select ids from candidates)::uuid[])",
    scan: "(select ids is null from candidates)"
  }
}

/** Counts the todos of a query that has only words, from the index of words. It is used if there are many candidates. */
export const countByWord = (schema: QuotedSchema, q: string, add: Add): string => {
  const conditions = wordConditions(q, add)
  const [first = ""] = conditions
  const intersection = conditions
    .map((condition) => /* sql */ `select todo_id ${fromWords(schema, condition)}`)
    .join(" intersect ")
  const matches =
    conditions.length > 1
      ? /* sql */ `(select count(*) from (${intersection}) matches)`
      : // A todo is found twice only if two of its words have the same beginning.
        /* sql */ `case when (select min(word) = max(word) ${fromWords(schema, first)})
    then (select count(*) ${fromWords(schema, first)})
    else (select count(distinct todo_id) ${fromWords(schema, first)}) end`
  return /* sql */ `${matches} - (
    select count(*) from ${schema}.todos t where owner_id = $1 and deleted_at is not null and ${hasWords(q, add)}
  )`
}

/** Conditions for the words of `q`, long words first, because they are rarer. The last word may be incomplete. */
const wordConditions = (q: string | undefined, add: Add): ReadonlyArray<string> => {
  if (q === undefined) return []
  const words = askedWords(q)
  const last = words.at(-1) ?? ""
  return [...new Set(words.slice(0, -1))]
    .toSorted((one, other) => other.length - one.length)
    .map((word) => `word = ${add(word)}`)
    .concat(`word >= ${add(last === "" ? "!" : last)} and word < ${add(endOfPrefix(last))}`)
}

/** Uses the primary key of `todo_words`. */
const fromWords = (schema: QuotedSchema, condition: string) =>
  /* sql */ `from ${schema}.todo_words where owner_id = $1 and ${condition}`

/** Whether the order of the page is that of the index `todos_done`. */
const isByPosition = ({ sort = "position" }: TodoQuery): boolean => sort === "position" || sort === "-position"

/** Uses the index `todos_done`. */
const completed = (schema: QuotedSchema) => /* sql */ `select id from ${schema}.todos
where owner_id = $1 and completed_at is not null order by position`
