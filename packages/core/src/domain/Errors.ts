import * as Schema from "effect/Schema"
import { explain, InputIssue, unknownField } from "./InputIssue.ts"
import { Revision } from "./Revision.ts"

/** In a batch, `index` is the position of the operation that failed, from 0. */
const batch = { index: Schema.optionalKey(Schema.Int) }

/** The todo does not exist, is in the trash, or belongs to another user. The error does not say which. */
export class TodoNotFound extends Schema.TaggedError<TodoNotFound>()("TodoNotFound", batch) {
  override readonly message = "There is no todo with this id, or it is in the trash"
}

/** The list does not exist, is in the trash, or belongs to another user. The error does not say which. */
export class ListNotFound extends Schema.TaggedError<ListNotFound>()("ListNotFound", batch) {
  override readonly message = "There is no list with this id, or it is in the trash"
}

/** The row is not at the expected revision. `current` is its revision, or `null` if there is no row. */
export class RevisionMismatch extends Schema.TaggedError<RevisionMismatch>()("RevisionMismatch", {
  ...batch,
  current: Schema.NullOr(Revision)
}) {
  override get message() {
    return this.current === null
      ? "There is nothing with this id; leave out the revision to create it"
      : "The todo or list is at another revision; read it again and repeat your change on its current revision"
  }
}

/**
 * The write conflicts with the state of the database. `in-trash`: the id belongs to a row in the trash.
 * `concurrent-writes`: a deadlock or serialization failure with other transactions.
 */
export class Conflict extends Schema.TaggedError<Conflict>()("Conflict", {
  reason: Schema.Literals(["in-trash", "concurrent-writes"])
}) {
  override get message() {
    return this.reason === "in-trash"
      ? "A todo or list with this id is in the trash; restore it first"
      : "Other writes changed the same rows at the same time; send the request again"
  }
}

/**
 * A hook of the host refused the write (`Hooks`). The host chooses `code`, for programs, and `message`, for people. HTTP
 * clients get both.
 */
export class WriteRefused extends Schema.TaggedError<WriteRefused>()("WriteRefused", {
  ...batch,
  code: Schema.String,
  message: Schema.String
}) {}

/** The list has todos, and the request does not say what happens to them (`ListTodos`). */
export class ListNotEmpty extends Schema.TaggedError<ListNotEmpty>()("ListNotEmpty", {}) {
  override readonly message =
    "The list holds todos; choose trash to put them into the trash with it, or keep to keep them without a list"
}

/** The input is invalid. `errors` has 1 to 20 errors. No message repeats a value of the input. */
export class InvalidInput extends Schema.TaggedError<InvalidInput>()("InvalidInput", {
  errors: Schema.Array(InputIssue)
}) {
  /**
   * The first error, and the number of others: `title is required (and 2 more)`. The name of an unknown field comes from
   * the sender and may be private, so it is left out.
   */
  override get message() {
    const isUnknown = ({ message }: InputIssue) => message === unknownField
    const first = this.errors.find((issue) => !isUnknown(issue)) ?? { pointer: "", message: unknownField }
    return `${explain(first)}${this.errors.length > 1 ? ` (and ${this.errors.length - 1} more)` : ""}`
  }
}

/** The cursor is malformed, or was made for another user or another query. */
export class InvalidCursor extends Schema.TaggedError<InvalidCursor>()("InvalidCursor", {}) {
  override readonly message = "The cursor does not belong to this user and this query; start again without a cursor"
}

/** Changes after the cursor were purged, or the data were restored. Drop the local copy and read again without a cursor. */
export class CursorExpired extends Schema.TaggedError<CursorExpired>()("CursorExpired", {}) {
  override readonly message =
    "Changes after this cursor were purged, or the data were restored; drop the local copy and read everything again, without a cursor"
}

/** The idempotency key was used for another request in the last 24 hours. */
export class IdempotencyKeyReused extends Schema.TaggedError<IdempotencyKeyReused>()("IdempotencyKeyReused", {}) {
  override readonly message = "This idempotency key was used for another request; use a new one"
}

/** The first request with this idempotency key has not ended yet. */
export class IdempotencyKeyInUse extends Schema.TaggedError<IdempotencyKeyInUse>()("IdempotencyKeyInUse", {}) {
  override readonly message =
    "The first request with this idempotency key is still running; send it again a little later"
}

/** The operator has disabled the user. */
export class UserDisabled extends Schema.TaggedError<UserDisabled>()("UserDisabled", {}) {
  override readonly message = "This user is disabled; ask the operator"
}

/**
 * The database cannot be reached, is overloaded, did not answer in time, or is read-only. `outcome` says whether a write
 * may have happened: `not-applied` or `unknown`. The driver's error is the `cause`, if there is one. It is for logs and is
 * never sent to clients.
 */
export class Unavailable extends Schema.TaggedError<Unavailable>()("Unavailable", {
  outcome: Schema.Literals(["not-applied", "unknown"]),
  reason: Schema.optionalKey(Schema.Literal("read-only"))
}) {
  override get message(): string {
    if (this.reason === "read-only") return "The database is read-only, so nothing was written; try again later"
    return this.outcome === "unknown"
      ? "The database did not confirm the write, so it may have happened; read before you repeat it"
      : "The database cannot be reached, or is overloaded; try again later"
  }
}
