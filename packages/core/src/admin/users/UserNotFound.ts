import * as Schema from "effect/Schema"

/** Nobody of this id has ever written anything, or all of it was erased. */
export class UserNotFound extends Schema.TaggedError<UserNotFound>()("UserNotFound", {}) {
  override readonly message = "There is no such user"
}
