import * as Schema from "effect/Schema"
import { PageLimit } from "../../domain/Page.ts"
import { sorts } from "../../domain/TodoQuery.ts"

/** An order of users; `-` in front means descending, and ties are broken by id. `size` is how many todos they have. */
export const UserSort = sorts(["id", "size", "updatedAt", "createdAt"])
export type UserSort = typeof UserSort.Type

/** Which users, in which order, and which page of them. */
export const UserQuery = Schema.Struct({
  /** Only those who are disabled. */
  disabled: Schema.optionalKey(Schema.Boolean),
  sort: Schema.optionalKey(UserSort),
  limit: Schema.optionalKey(PageLimit),
  cursor: Schema.optionalKey(Schema.String),
  /** Also count those who meet the conditions, over all pages. */
  count: Schema.optionalKey(Schema.Boolean)
})
export type UserQuery = typeof UserQuery.Type
