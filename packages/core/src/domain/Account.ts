import * as Schema from "effect/Schema"
import { Revision } from "./Revision.ts"
import { UserId } from "./User.ts"

/** The current user in numbers. A user who has never written anything has none. */
export const Account = Schema.Struct({
  id: UserId,
  revision: Revision,
  counts: Schema.Struct({
    open: Schema.Int,
    completed: Schema.Int,
    trashed: Schema.Int,
    lists: Schema.Int
  })
}).annotate({ identifier: "Account" })
export type Account = typeof Account.Type
