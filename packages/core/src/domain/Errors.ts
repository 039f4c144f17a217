import * as Schema from "effect/Schema"
import { describe } from "./describe.ts"
import { Revision } from "./Revision.ts"

/** In a batch, the index of the operation that failed. */
const batch = { index: Schema.optionalKey(Schema.Int) }

/** The todo does not exist, is in the trash, or is another user's: one answer for all three. */
export class TodoNotFound extends Schema.TaggedError<TodoNotFound>()("TodoNotFound", batch) {
  override readonly message = "There is no such todo"
}

/** The list does not exist, is in the trash, or is another user's: one answer for all three. */
export class ListNotFound extends Schema.TaggedError<ListNotFound>()("ListNotFound", batch) {
  override readonly message = "There is no such list"
}

/** The row is not at the expected revision. `current` is its revision, or `null` if there is no row. */
export class RevisionMismatch extends Schema.TaggedError<RevisionMismatch>()("RevisionMismatch", {
  ...batch,
  current: Schema.NullOr(Revision)
}) {
  override readonly message = "The resource has changed since the revision that was given"
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
      ? "The id belongs to something in the trash; restore it first"
      : "Other writes kept getting in the way; try again"
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
  override readonly message = "The list holds todos; say whether they go to the trash with it or stay without a list"
}

/** One problem of an input: where it is (RFC 6901 JSON Pointer), and what is expected there. */
export const InputIssue = Schema.Struct({
  pointer: describe(Schema.String, "Where it is wrong (RFC 6901 JSON Pointer)"),
  message: describe(Schema.String, "What is expected there")
})

/** An input that breaks a rule. The messages never repeat what was sent. */
export class InvalidInput extends Schema.TaggedError<InvalidInput>()("InvalidInput", {
  errors: Schema.Array(InputIssue)
}) {
  override readonly message = "The input breaks a rule"
}

/** The cursor is malformed, or was made for another user or another query. */
export class InvalidCursor extends Schema.TaggedError<InvalidCursor>()("InvalidCursor", {}) {
  override readonly message = "The cursor was not made for this user and this query"
}

/** Rows after the cursor were purged, or the database was restored. Start again without a cursor. */
export class CursorExpired extends Schema.TaggedError<CursorExpired>()("CursorExpired", {}) {
  override readonly message = "What came after the cursor is no longer kept in full; start again without a cursor"
}

/** The idempotency key was used for another request in the last 24 hours. */
export class IdempotencyKeyReused extends Schema.TaggedError<IdempotencyKeyReused>()("IdempotencyKeyReused", {}) {
  override readonly message = "The idempotency key belongs to another request"
}

/** The first request with this idempotency key has not ended yet. */
export class IdempotencyKeyInUse extends Schema.TaggedError<IdempotencyKeyInUse>()("IdempotencyKeyInUse", {}) {
  override readonly message = "A request with this idempotency key is still running"
}

/** The operator has disabled the user. */
export class UserDisabled extends Schema.TaggedError<UserDisabled>()("UserDisabled", {}) {
  override readonly message = "The user is disabled"
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
    if (this.reason === "read-only") return "The database takes no writes: it is in read-only mode"
    return this.outcome === "unknown"
      ? "The database did not confirm; the write may have happened"
      : "The database cannot answer at the moment"
  }
}
