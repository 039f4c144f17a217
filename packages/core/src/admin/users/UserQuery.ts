import * as Schema from "effect/Schema"
import { PageLimit } from "../../domain/Page.ts"
import { sorts } from "../../domain/TodoQuery.ts"

/** A sort order of users. `-` in front means descending. The id breaks ties. `size` is the number of todos. */
export const UserSort = sorts(["id", "size", "updatedAt", "createdAt"])
export type UserSort = typeof UserSort.Type

/** A query of users. */
export const UserQuery = Schema.Struct({
  /** Only disabled users. */
  disabled: Schema.optionalKey(Schema.Boolean),
  sort: Schema.optionalKey(UserSort),
  limit: Schema.optionalKey(PageLimit),
  cursor: Schema.optionalKey(Schema.String),
  /** Whether the page has `total`, the number of matching users over all pages. */
  count: Schema.optionalKey(Schema.Boolean)
})
export type UserQuery = typeof UserQuery.Type
