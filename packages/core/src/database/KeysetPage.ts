/**
 * Pages by key (keyset pagination): a page begins after the sort values of the last row
 * of the page before, so that a row that nobody touches is met exactly once, whatever
 * happens around it, and the thousandth page costs what the first one does.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { isSqlError } from "effect/sql/SqlError"
import { InvalidCursor, type Unavailable } from "../domain/Errors.ts"
import { type Page, pageLimit } from "../domain/Page.ts"
import { CurrentUser, type UserId } from "../domain/User.ts"
import * as Cursor from "./Cursor.ts"
import { isDataException } from "./SqlErrors.ts"
import type { UserScope } from "./UserScope.ts"

type Rows = ReadonlyArray<ReadonlyArray<unknown>>

/** A select and its own parameters, numbered from `$2` on (`$1` is the user), or from `$1` where it is an operator's. */
export interface Select {
  readonly text: string
  readonly parameters: ReadonlyArray<unknown>
  /** Puts rows that come in parts into one order. */
  readonly arrange?: (rows: Rows) => Rows
}

/** Collects parameters as a select is written. */
export const parameters = (first = 2) => {
  const values: Array<unknown> = []
  return { values, add: (value: unknown) => `$${values.push(value) + first - 1}` }
}

/** The sort values after which a page begins: the order's own, and the id. */
export type Key = readonly [value: string | null, id: string]

/** As PostgreSQL takes it. */
const Text = Schema.String.check(Schema.isPattern(/^[^\0]*$/))

/** The digest of a cursor is no secret, so what is in it may be anything. */
const isKey: (values: unknown) => values is Key = Schema.is(Schema.Tuple([Schema.NullOr(Text), Text]))

interface PageQuery {
  readonly cursor?: string
  readonly limit?: number
  readonly count?: boolean
}

/**
 * The selects of a page. `rows` selects the sort value of an item as text, its id, and more;
 * it is asked for one row more than the page has, which tells whether there is another.
 */
interface Selects<Item, R> {
  readonly rows: (limit: number, after: Key | undefined) => Select
  /** The item, of a row. */
  readonly item: (row: ReadonlyArray<unknown>) => Item
  /** How many there are in all; `count` runs a select of one number. */
  readonly total: (
    count: (select: Select) => Effect.Effect<number, Unavailable, R>
  ) => Effect.Effect<number, Unavailable, R>
}

/** Reads a page of what the current user has. */
export const read = <Item, Query extends PageQuery>(
  { read }: Pick<UserScope, "read">,
  kind: "todos" | "lists",
  query: Query,
  statements: Selects<Item, CurrentUser>
): Effect.Effect<Page<Item>, InvalidCursor | Unavailable, CurrentUser> =>
  Effect.flatMap(CurrentUser, ({ id }) =>
    readWith<Item, Query, CurrentUser>(id, kind, query, statements, ({ parameters, text }) => read(text)(...parameters))
  )

/** Reads a page, of a user or for an operator (`null`), with what runs a select. */
export const readWith = Effect.fnUntraced(function* <Item, Query extends PageQuery, R>(
  user: UserId | null,
  kind: "todos" | "lists" | "users",
  { count = false, cursor, limit = pageLimit.default, ...query }: Query,
  statements: Selects<Item, R>,
  select: (select: Select) => Effect.Effect<Rows, Unavailable, R>
): Effect.fn.Return<Page<Item>, InvalidCursor | Unavailable, R> {
  const opened = cursor === undefined ? undefined : Cursor.open(user, [kind, query], cursor)
  const after = opened && (yield* Effect.filterOrFail(opened, isKey, () => new InvalidCursor()))
  const run = (asked: Select) => Effect.map(select(asked), (rows) => asked.arrange?.(rows) ?? rows)

  const rows = yield* run(statements.rows(limit + 1, after)).pipe(
    // A cursor that was made up can hold what is no value of the column.
    Effect.catchDefect((defect) =>
      after !== undefined && isSqlError(defect) && isDataException(defect)
        ? Effect.fail(new InvalidCursor({}))
        : Effect.die(defect)
    )
  )
  const page = rows.slice(0, limit)
  const last = page.at(-1)
  const total = count
    ? yield* statements.total((select) => Effect.map(run(select), ([row]) => Number(row?.[0])))
    : undefined
  return {
    items: page.map((row) => statements.item(row)),
    nextCursor: last !== undefined && rows.length > limit ? Cursor.make(user, [kind, query], [last[0], last[1]]) : null,
    ...(total !== undefined && { total })
  }
})

/** An item that was selected as its JSON, behind its sort value and its id. */
export const parsed = ([, , json]: ReadonlyArray<unknown>) => JSON.parse(String(json))

/** An order by one column, which an index serves; the id breaks ties. */
export interface Order {
  readonly column: string
  readonly type: "text" | "bigint" | "smallint" | "timestamptz"
  /** Whether the column alone is unique for a user. */
  readonly unique?: boolean
  /** The type of the id; a UUID where nothing is said. */
  readonly idType?: "uuid" | "text"
}

/** The `order by` and the condition that begins after a key. */
export const ordered = (
  { column, idType = "uuid", type, unique = false }: Order,
  descending: boolean,
  after: Key | undefined,
  add: (value: unknown) => string
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

/** A sort value as text that any session reads alike. */
export const sortValue = (schema: string, { column, type }: Order): string =>
  type === "timestamptz" ? `${schema}.instant(${column})` : `${column}::text`

/** The name of an order, and whether it is descending. */
export const direction = <Name extends string>(sort: Name | `-${Name}`): readonly [Name, boolean] =>
  sort.startsWith("-") ? [sort.slice(1) as Name, true] : [sort as Name, false]
