import { IdempotencyKey, type IfRevision } from "@todo/core/domain"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import * as SchemaTransformation from "effect/SchemaTransformation"
import { HttpApiSchema } from "effect/http-api"

/**
 * The strong entity tag of a revision, as the `ETag` header has it.
 *
 * @example
 * etag(42) // "\"42\""
 */
export const etag = (revision: number): string => `"${revision}"`

/** The `ETag` header of a response. */
export const EntityTag = Schema.String.annotate({ description: "The revision of the todo or list", examples: ['"42"'] })

/** The headers of a response with one resource. */
export const etagHeader = { etag: EntityTag }

/** The headers of a response with a new resource. */
export const createdHeaders = {
  ...etagHeader,
  location: Schema.String.annotate({
    description: "The path of the todo or list, or its URL if the server has a public URL"
  })
}

/** 304: the client has the current version (RFC 9110, 15.4.5). */
export const NotModified = HttpApiSchema.WithHeaders(HttpApiSchema.Empty(304), etagHeader)

/** The value of `If-Match` or `If-None-Match`: revisions, or `*` for any. */
export type EntityTags = Exclude<IfRevision, number>

/** An entity tag, weak or strong (RFC 9110, 8.8.3). It may contain commas. */
const tag = /(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"/g

/** A list of entity tags. Empty elements are allowed (RFC 9110, 5.6.1). */
const listOfTags = new RegExp(`^(?:[ \\t,]*${tag.source}[ \\t]*(?=,|$))+[ \\t,]*$`)

/**
 * Decodes a list of entity tags, or `*`. Tags that no revision has are left out, since they match nothing. Weak tags
 * count only if `weak` is set. Any other header is malformed.
 */
const entityTags = (weak: boolean, description: string) =>
  Schema.String.annotate({
    description: `${description}: entity tags such as \`"42"\`, from \`ETag\` of a response, or \`*\``
  }).pipe(
    Schema.decodeTo(
      Schema.Union([Schema.Literal("*"), Schema.Array(Schema.Int)]),
      SchemaTransformation.transformEffect({
        decode: (header): Effect.Effect<EntityTags, SchemaIssue.Issue> => {
          if (header.trim() === "*") return Effect.succeed("*")
          if (!listOfTags.test(header)) {
            return Effect.fail(
              new SchemaIssue.InvalidValue({ message: 'must be * or a list of entity tags such as "42"' })
            )
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

/** `If-Match`, the precondition of a write (RFC 9110, 13.1.1). The comparison is strong. */
export const ifMatch = {
  "if-match": Schema.optionalKey(entityTags(false, "Write only if the todo or list is still at one of these revisions"))
}

/** `If-None-Match` of a read (RFC 9110, 13.1.2). The comparison is weak. */
export const ifNoneMatch = {
  "if-none-match": Schema.optionalKey(
    entityTags(true, "Answer 304 if the todo or list is still at one of these revisions")
  )
}

/** `If-None-Match: *`, the precondition of a write that only creates. */
export const ifNoneMatchAny = {
  "if-none-match": Schema.optionalKey(
    Schema.Literal("*").annotate({ description: "Write only if there is no todo or list with this id yet" })
  )
}

/** `Idempotency-Key`, bare or quoted as a structured field (RFC 8941). */
export const idempotencyKey = {
  "idempotency-key": Schema.optionalKey(
    Schema.String.annotate({
      description:
        "A key that the client chooses, 1 to 255 visible ASCII characters. A request that is repeated with the same key is applied once"
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
