import * as Schema from "effect/Schema"
import { PageLimit } from "../../domain/Page.ts"
import { sorts } from "../../domain/TodoQuery.ts"

/** An order of users. A `-` in front means descending; ties are broken by id. `size` is the number of todos. */
export const UserSort = sorts(["id", "size", "updatedAt", "createdAt"])
export type UserSort = typeof UserSort.Type

/** Filter, order and page of a list of users. */
export const UserQuery = Schema.Struct({
  /** Only disabled users. */
  disabled: Schema.optionalKey(Schema.Boolean),
  sort: Schema.optionalKey(UserSort),
  limit: Schema.optionalKey(PageLimit),
  cursor: Schema.optionalKey(Schema.String),
  /** Also return the number of matching users over all pages. */
  count: Schema.optionalKey(Schema.Boolean)
})
export type UserQuery = typeof UserQuery.Type
