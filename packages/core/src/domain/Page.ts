import * as Schema from "effect/Schema"
import { describe } from "./describe.ts"

/** One page of items. `nextCursor` is `null` on the last page only. */
export const Page = <Item extends Schema.Constraint>(item: Item) =>
  Schema.Struct({
    items: describe(Schema.Array(item), "The items of this page, in the order of the query"),
    nextCursor: describe(
      Schema.NullOr(Schema.String),
      "Pass it as `cursor` to get the next page; `null` on the last page"
    ),
    total: describe(Schema.optionalKey(Schema.Int), "The number of items over all pages, if the query has `count=true`")
  })

export interface Page<Item> {
  /** The items of this page, in the order of the query. */
  readonly items: ReadonlyArray<Item>
  /** An opaque cursor for the next page of the same query and user; `null` on the last page. */
  readonly nextCursor: string | null
  /** The number of items over all pages, if the query has `count: true`. */
  readonly total?: number
}

/** The limits and the default of the number of items in a page. */
export const pageLimit = { min: 1, max: 200, default: 50 } as const
/** The maximum number of items in a page: 1 to 200. */
export const PageLimit = Schema.Int.check(
  Schema.isBetween(
    { minimum: pageLimit.min, maximum: pageLimit.max },
    { expected: `a whole number from ${pageLimit.min} to ${pageLimit.max}` }
  )
)
