import * as Schema from "effect/Schema"

/**
 * The user's write counter at the last change of a row. Every change of a row has
 * a revision of its own, so one number is entity tag, change cursor and event id.
 */
export const Revision = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)).annotate({
  identifier: "Revision",
  description: "A number that grows by one with each write of the user"
})
export type Revision = typeof Revision.Type

/**
 * What a write expects of the row it changes, as RFC 9110 defines `If-Match`: a revision, one of several, or that the
 * row exists (`"*"`). With an empty list it never goes through. Checked where the row is written.
 */
export const IfRevision = Schema.Union([Schema.Literal("*"), Revision, Schema.Array(Revision)]).annotate({
  identifier: "IfRevision",
  description: "What a write expects of the row: a revision, one of several, or that the row exists (`*`)"
})
export type IfRevision = typeof IfRevision.Type
