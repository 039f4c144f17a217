import type { IfRevision } from "@todo/core/domain"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import * as SchemaTransformation from "effect/SchemaTransformation"

/** The strong entity tag of a revision: `"42"`. */
export const etag = (revision: number): string => `"${revision}"`

/** RFC 9110, 8.8.3: an opaque tag, weak or strong. */
const tag = /^(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"$/

/**
 * `If-Match` (RFC 9110, 13.1.1): `*`, or entity tags, of which only strong ones that
 * we could have given match. Another header than that is malformed.
 */
export const IfMatch = Schema.String.annotate({
  description: 'An entity tag as answers carry it, `"42"`, or `*`'
}).pipe(
  Schema.decodeTo(
    Schema.Union([Schema.Literal("*"), Schema.Array(Schema.Int)]),
    SchemaTransformation.transformEffect({
      decode: (header): Effect.Effect<IfRevision, SchemaIssue.Issue> => {
        if (header.trim() === "*") return Effect.succeed("*")
        const tags = header.split(",").map((part) => tag.exec(part.trim()))
        return tags.some((found) => found === null)
          ? Effect.fail(new SchemaIssue.InvalidValue({ message: "Expected * or a list of entity tags" }))
          : Effect.succeed(
              tags.flatMap((found) =>
                found?.[1] === undefined && /^\d{1,15}$/.test(found?.[2] ?? "") ? [Number(found?.[2])] : []
              )
            )
      },
      encode: (expected) => Effect.succeed(expected === "*" ? "*" : expected.map(etag).join(", "))
    })
  )
)

/** `If-None-Match: *`: only where nothing is there yet. */
export const IfNoneMatchAny = Schema.Literal("*")
