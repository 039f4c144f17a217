import * as Schema from "effect/Schema"

/** No user has this id: the user never wrote anything, or was erased. */
export class UserNotFound extends Schema.TaggedError<UserNotFound>()("UserNotFound", {}) {
  override readonly message = "There is no such user"
}
