/**
 * Keyset pagination: a page begins after the sort values of the last row of the page before. A row that does not change
 * is returned exactly once, whatever happens to other rows. The thousandth page costs as much as the first.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { isSqlError } from "effect/sql/SqlError"
import { InvalidCursor, type Unavailable } from "../domain/Errors.ts"
import { type Page, pageLimit } from "../domain/Page.ts"
import { CurrentUser, type UserId } from "../domain/User.ts"
import * as Cursor from "./Cursor.ts"
import { isDataException } from "./SqlErrors.ts"
import type { Statement } from "./UserScope.ts"
import type { Row, SelectOf } from "./UserScopeSql.ts"
import type { QuotedSchema } from "../schema/SchemaName.ts"

/** A select with its parameters. They are numbered from `$2` for a user (`$1` is the user), and from `$1` for an operator. */
export interface Select<R extends Row = Row> {
  readonly text: SelectOf<R>
  readonly parameters: ReadonlyArray<unknown>
}

/** Adds a parameter to the select and returns its placeholder (`$2`). */
export type Add = (value: unknown) => string

/** Collects the parameters of a select. `first` is the number of the first one. */
export const parameters = (first = 2) => {
  const values: Array<unknown> = []
  const add: Add = (value) => `$${values.push(value) + first - 1}`
  return { values, add }
}

/** The key after which a page begins: the sort value and the id of a row. */
export type Key = readonly [value: string | null, id: string]

/** A row of a page: the sort value as text, the id, and the columns of the item. */
export type PageRow = readonly [...Key, ...item: Row]

/** The select of a page. Its limit is one row more than the page has, which shows whether there is a next page. */
export interface PageSelect extends Select<PageRow> {
  /** Sorts the rows, if the select returns several sorted parts. */
  readonly arrange?: (rows: ReadonlyArray<PageRow>) => ReadonlyArray<PageRow>
}

/** PostgreSQL cannot store U+0000. */
const Text = Schema.String.check(Schema.isPattern(/^[^\0]*$/))

/** A client can compute the digest of a cursor, so its values are validated. */
const isKey: (values: unknown) => values is Key = Schema.is(Schema.Tuple([Schema.NullOr(Text), Text]))

interface PageQuery {
  readonly cursor?: string
  readonly limit?: number
  readonly count?: boolean
}

/** How a page is read. */
interface Reading<Item, R> {
  readonly rows: (limit: number, after: Key | undefined) => PageSelect
  /** Reads an item from a row. */
  readonly item: (row: PageRow) => Item
  /** Counts the items over all pages. */
  readonly total: () => Effect.Effect<number, Unavailable, R>
}

/** The scope that reads pages. */
export interface PageScope {
  readonly read: (select: SelectOf<PageRow>) => Statement<PageRow, Unavailable>
}

/** Reads a page of the current user's items. */
export const read = <Item, Query extends PageQuery>(
  { read }: PageScope,
  kind: "todos" | "lists",
  query: Query,
  reading: Reading<Item, CurrentUser>
): Effect.Effect<Page<Item>, InvalidCursor | Unavailable, CurrentUser> =>
  Effect.flatMap(CurrentUser, ({ id }) =>
    readWith<Item, Query, CurrentUser>(id, kind, query, reading, ({ parameters, text }) => read(text)(...parameters))
  )

/** Reads a page for a user or for an operator (`null`). `run` runs the select. */
export const readWith = Effect.fnUntraced(function* <Item, Query extends PageQuery, R>(
  user: UserId | null,
  kind: "todos" | "lists" | "users",
  { count = false, cursor, limit = pageLimit.default, ...query }: Query,
  { item, rows: select, total }: Reading<Item, R>,
  run: (select: PageSelect) => Effect.Effect<ReadonlyArray<PageRow>, Unavailable, R>
): Effect.fn.Return<Page<Item>, InvalidCursor | Unavailable, R> {
  const opened = cursor === undefined ? undefined : Cursor.open(user, [kind, query], cursor)
  const after = opened && (yield* Effect.filterOrFail(opened, isKey, () => new InvalidCursor()))
  const selected = select(limit + 1, after)

  const found = yield* run(selected).pipe(
    // A forged cursor can hold text that is not a value of the column's type.
    Effect.catchDefect((defect) =>
      after !== undefined && isSqlError(defect) && isDataException(defect)
        ? Effect.fail(new InvalidCursor({}))
        : Effect.die(defect)
    )
  )
  const rows = selected.arrange?.(found) ?? found
  const page = rows.slice(0, limit)
  const last = page.at(-1)
  const counted = count ? yield* total() : undefined
  return {
    items: page.map((row) => item(row)),
    nextCursor: last !== undefined && rows.length > limit ? Cursor.make(user, [kind, query], [last[0], last[1]]) : null,
    ...(counted !== undefined && { total: counted })
  }
})

/** Parses an item that was selected as JSON in the third column. */
export const parseItem = ([, , json]: PageRow) => JSON.parse(String(json))

/** An order by one indexed column. The id breaks ties. */
export interface Order {
  readonly column: string
  readonly type: "text" | "bigint" | "smallint" | "timestamptz"
  /** Whether the column alone is unique for a user. */
  readonly unique?: boolean
  /** The type of the id; `uuid` by default. */
  readonly idType?: "uuid" | "text"
}

/** The `order by`, and the condition of a page that begins after a key. */
export const ordered = (
  { column, idType = "uuid", type, unique = false }: Order,
  descending: boolean,
  after: Key | undefined,
  add: Add
) => {
  const columns = unique ? [column] : [column, "id"]
  const begin =
    after === undefined
      ? []
      : [
          `(${columns.join(", ")}) ${descending ? "<" : ">"} (${add(after[0])}::${type}${unique ? "" : `, ${add(after[1])}::${idType}`})`
        ]
  return { begin, orderBy: columns.map((name) => (descending ? `${name} desc` : name)).join(", ") }
}

/** A sort value as text that does not depend on settings of the session. */
export const sortValue = (schema: QuotedSchema, { column, type }: Order): string =>
  type === "timestamptz" ? `${schema}.instant(${column})` : `${column}::text`

/** Splits a sort order into its name, and whether it is descending. */
export const direction = <Name extends string>(sort: Name | `-${Name}`): readonly [Name, boolean] =>
  sort.startsWith("-") ? [sort.slice(1) as Name, true] : [sort as Name, false]
