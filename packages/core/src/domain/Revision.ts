import * as Schema from "effect/Schema"

/**
 * The value of the user's write counter at the last change of a row. Every change has its own revision, so the number
 * serves as entity tag, change cursor and event id.
 */
export const Revision = Schema.Int.check(
  Schema.isGreaterThanOrEqualTo(0, { expected: "a whole number from 0" })
).annotate({
  identifier: "Revision",
  description: "A number that grows by one with each write of the user"
})
export type Revision = typeof Revision.Type

/**
 * The condition of a write, like `If-Match` in RFC 9110: the row is at this revision, at one of these revisions, or exists
 * (`"*"`). An empty list never matches. The condition is checked in the transaction of the write.
 */
export const IfRevision = Schema.Union([Schema.Literal("*"), Revision, Schema.Array(Revision)]).annotate({
  identifier: "IfRevision",
  description: "What a write expects of the row: a revision, one of several, or that the row exists (`*`)",
  expected: "a revision, an array of revisions, or *"
})
export type IfRevision = typeof IfRevision.Type
