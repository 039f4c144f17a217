import { IdempotencyKey, type IfRevision } from "@todo/core/domain"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import * as SchemaTransformation from "effect/SchemaTransformation"
import { HttpApiSchema } from "effect/http-api"

/** The strong entity tag of a revision: `"42"`. */
export const etag = (revision: number): string => `"${revision}"`

/** The same, in an answer. */
export const EntityTag = Schema.String.annotate({ description: "The revision of the row", examples: ['"42"'] })

/** What an answer with one row says of it. */
export const etagHeader = { etag: EntityTag }

/** And of one that is new. */
export const createdHeaders = {
  ...etagHeader,
  location: Schema.String.annotate({ description: "The path of the row, or its URL where the server has a public URL" })
}

/** The client has the row as it is (RFC 9110, 15.4.5). */
export const NotModified = HttpApiSchema.WithHeaders(HttpApiSchema.Empty(304), etagHeader)

/** What a header with entity tags says: those that we could have given, or any. */
export type EntityTags = Exclude<IfRevision, number>

/** RFC 9110, 8.8.3: an opaque tag, weak or strong; it may have commas in it. */
const tag = /(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"/g

/** RFC 9110, 5.6.1: with commas between them, of which there may be too many. */
const listOfTags = new RegExp(`^(?:[ \\t,]*${tag.source}[ \\t]*(?=,|$))+[ \\t,]*$`)

/**
 * A list of entity tags, or `*`. Of the tags, those that we could have given; `weak`
 * says whether weak ones count. Another header than that is malformed.
 */
const entityTags = (weak: boolean, description: string) =>
  Schema.String.annotate({ description: `${description}: entity tags as answers carry them, \`"42"\`, or \`*\`` }).pipe(
    Schema.decodeTo(
      Schema.Union([Schema.Literal("*"), Schema.Array(Schema.Int)]),
      SchemaTransformation.transformEffect({
        decode: (header): Effect.Effect<EntityTags, SchemaIssue.Issue> => {
          if (header.trim() === "*") return Effect.succeed("*")
          if (!listOfTags.test(header)) {
            return Effect.fail(new SchemaIssue.InvalidValue({ message: "Expected * or a list of entity tags" }))
          }
          return Effect.succeed(
            [...header.matchAll(tag)].flatMap(([, isWeak, value = ""]) =>
              (weak || isWeak === undefined) && /^(0|[1-9]\d{0,14})$/.test(value) ? [Number(value)] : []
            )
          )
        },
        encode: (expected) => Effect.succeed(expected === "*" ? "*" : expected.map(etag).join(", "))
      })
    )
  )

/** Only if the row is still as it was (RFC 9110, 13.1.1): compared strongly. */
export const ifMatch = {
  "if-match": Schema.optionalKey(entityTags(false, "Write only if the row is still at one of these revisions"))
}

/** Only if the row is no longer as it was (RFC 9110, 13.1.2): compared weakly. */
export const ifNoneMatch = {
  "if-none-match": Schema.optionalKey(entityTags(true, "Answer 304 if the row is still at one of these revisions"))
}

/** Only where nothing is there yet. */
export const ifNoneMatchAny = {
  "if-none-match": Schema.optionalKey(
    Schema.Literal("*").annotate({ description: "Write only if there is no row with this id yet" })
  )
}

/** A key, bare or quoted as a structured field (RFC 8941) has it. */
export const idempotencyKey = {
  "idempotency-key": Schema.optionalKey(
    Schema.String.annotate({
      description:
        "Makes a repeated request happen once: 1 to 255 visible ASCII characters, made up by the client and sent again with each repeat"
    }).pipe(
      Schema.decodeTo(
        IdempotencyKey,
        SchemaTransformation.transform({
          decode: (header) => /^"(.*)"$/.exec(header)?.[1] ?? header,
          encode: (key) => key
        })
      )
    )
  )
}
