/**
 * Todos in the order of their due instants. The instant of a date depends on the caller's zone, so a single index cannot
 * have this order. One statement reads the first rows of the index of dates, of the index of times, and of the todos
 * without a due date. This file merges them.
 */
import type { TodoQuery } from "../domain/TodoQuery.ts"
import { dateOf, endOfDate, isTime, toTimestamp } from "./DueInstant.ts"
import { type Key, type PageRow, type PageSelect, parameters } from "../database/KeysetPage.ts"
import * as CandidatesSql from "./CandidatesSql.ts"
import { conditions, type Now } from "./TodoConditionsSql.ts"
import * as TodoRow from "./TodoRow.ts"
import type { QuotedSchema } from "../schema/SchemaName.ts"

export const list = (
  schema: QuotedSchema,
  query: TodoQuery,
  now: Now,
  descending: boolean,
  limit: number,
  after: Key | undefined
): PageSelect => {
  const { add, values } = parameters()
  const shared = conditions(query, now, add)
  const plans = CandidatesSql.plans(schema, query, add)
  const zone = query.timeZone ?? "UTC"
  const n = add(limit)
  const [direction, beyond] = descending ? ["desc", "<"] : ["asc", ">"]

  /** The first rows of one kind of todo: the sort value, and the columns of a row. */
  const branch = (value: string, order: string, ...own: ReadonlyArray<string>) =>
    (plans === undefined ? [[]] : [[plans.lookUp], [plans.scan]])
      .map(
        (plan) => /* sql */ `(select ${TodoRow.columns(schema, value)} from ${schema}.todos t
where ${[...shared, ...own, ...plan].join(" and ")} order by ${order} limit ${n})`
      )
      .join("\nunion all\n")

  const timed = (...begin: ReadonlyArray<string>) =>
    branch(
      "(extract(epoch from due_at) * 1000)::bigint::text",
      `due_at ${direction}, id ${direction}`,
      "due_at is not null",
      ...begin
    )
  const dated = (...begin: ReadonlyArray<string>) =>
    branch(
      "to_char(due_date, 'YYYY-MM-DD')",
      `due_date ${direction}, id ${direction}`,
      "due_date is not null",
      ...begin
    )
  const never = (...begin: ReadonlyArray<string>) =>
    branch("null", `id ${direction}`, "due_date is null", "due_at is null", ...begin)

  const branches = () => {
    if (after === undefined) return [timed(), dated(), never()]
    const [value, id] = after
    if (value === null) return [never(`id ${beyond} ${add(id)}::uuid`)]
    // A date and a time never share an instant: dates end in 999 milliseconds, and times have none.
    if (isDate(value)) {
      const end = toTimestamp(endOfDate(value, zone))
      return [
        timed(`due_at ${beyond} ${add(end)}::timestamptz`),
        dated(`(due_date, id) ${beyond} (${add(value)}::date, ${add(id)}::uuid)`),
        never()
      ]
    }
    // PostgreSQL refuses a value of a forged cursor that is not a time.
    const instant = Number(value)
    const begin = `(due_at, id) ${beyond} (${add(toTimestamp(instant))}::timestamptz, ${add(id)}::uuid)`
    if (!isTime(instant)) return [timed(begin)]
    // The date of the instant itself ends later than the instant.
    return [timed(begin), dated(`due_date ${descending ? "<" : ">="} ${add(dateOf(instant, zone))}::date`), never()]
  }

  const arrange = (rows: ReadonlyArray<PageRow>): ReadonlyArray<PageRow> => {
    const sign = descending ? -1 : 1
    return rows
      .map((row) => {
        const [key, id] = row
        const instant = key === null ? sign * Infinity : isDate(key) ? endOfDate(key, zone) : Number(key)
        return { row, key, instant, id }
      })
      .toSorted(
        (one, other) =>
          // Two dates share an instant if the zone skipped a day.
          sign *
          (compare(one.instant, other.instant) || compare(one.key ?? "", other.key ?? "") || compare(one.id, other.id))
      )
      .map(({ row }) => row)
  }
  const text = branches().join("\nunion all\n")
  return { text: plans === undefined ? text : `${plans.candidates}\n${text}`, parameters: values, arrange }
}

/** Compares dates and UUIDs as texts, which is the order of PostgreSQL. */
const compare = <A extends number | string>(one: A, other: A): number => (one < other ? -1 : one > other ? 1 : 0)

/** Whether a sort value is that of a date. The sort value of a time is in milliseconds. */
const isDate = (value: string): boolean => /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/.test(value)
