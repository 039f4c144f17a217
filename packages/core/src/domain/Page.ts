import * as Schema from "effect/Schema"
import { describe } from "./describe.ts"

/** One page of a walk. `nextCursor` is `null` on the last page, and only there. */
export const Page = <Item extends Schema.Constraint>(item: Item) =>
  Schema.Struct({
    items: describe(Schema.Array(item), "The items of this page, in the order that was asked for"),
    nextCursor: describe(
      Schema.NullOr(Schema.String),
      "Pass it as `cursor` to get the next page; `null` on the last page"
    ),
    total: describe(
      Schema.optionalKey(Schema.Int),
      "How many items there are over all pages, if `count=true` was asked for"
    )
  })

export interface Page<Item> {
  /** In the order that was asked for. */
  readonly items: ReadonlyArray<Item>
  /** Opaque; good for the same user and query alone. */
  readonly nextCursor: string | null
  /** How many there are over all pages, where `count` asked for it. */
  readonly total?: number
}

/** How many items a page may have, and has when nothing is said. */
export const pageLimit = { min: 1, max: 200, default: 50 } as const
/** A number of items that a page may have. */
export const PageLimit = Schema.Int.check(Schema.isBetween({ minimum: pageLimit.min, maximum: pageLimit.max }))
