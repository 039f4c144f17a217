import * as Schema from "effect/Schema"
import { describe } from "./describe.ts"
import { Revision } from "./Revision.ts"
import { UserId } from "./User.ts"

/** The account of the current user. All numbers are 0 for a user who has never written. */
export const Account = Schema.Struct({
  id: describe(UserId, "The id of the user: the subject of the token"),
  revision: describe(Revision, "The revision of the user's last write"),
  counts: describe(
    Schema.Struct({
      open: describe(Schema.Int, "The number of open todos"),
      completed: describe(Schema.Int, "The number of todos that are done"),
      trashed: describe(Schema.Int, "The number of todos in the trash"),
      lists: describe(Schema.Int, "The number of lists")
    }),
    "The numbers of todos and lists of the user"
  )
}).annotate({ identifier: "Account", description: "The user who sent the request" })
export type Account = typeof Account.Type
