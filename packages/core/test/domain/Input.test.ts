import { assert, describe, it } from "@effect/vitest"
import { IfRevision, InvalidInput, ListTodos, toInvalidInput, TodoId, TodoQuery, UserId } from "@todo/core/domain"
import { Effect, Schema } from "effect"

const refusalOf = (schema: Schema.Codec<unknown, unknown>, value: unknown) =>
  Schema.decodeUnknownEffect(schema, { errors: "all", onExcessProperty: "error" })(value).pipe(
    Effect.flip,
    Effect.map(({ issue }) => toInvalidInput(issue, "/options"))
  )

const Nested = Schema.Struct({
  when: Schema.Union([
    Schema.Null,
    Schema.Union([Schema.Struct({ a: Schema.String }), Schema.Struct({ b: Schema.Number })])
  ])
})

const cases: ReadonlyArray<readonly [schema: Schema.Codec<unknown, unknown>, value: unknown, message: string]> = [
  [UserId, "", "options must be a string of 1 to 255 characters"],
  [UserId, "a".repeat(256), "options must be a string of 1 to 255 characters"],
  [UserId, 1, "options must be a string of 1 to 255 characters"],
  [UserId, "a\n", "options must not contain control characters"],
  [UserId, "\ud800", "options must not contain unpaired surrogates"],
  [TodoId, "x", "options must be a UUID"],
  [TodoId, null, "options must be a UUID"],
  [ListTodos, "burn", "options must be trash or keep"],
  [IfRevision, -1, "options must be a revision, an array of revisions, or *"],
  [IfRevision, "x", "options must be a revision, an array of revisions, or *"],
  [IfRevision, [1, -1], "options/1 must be a whole number from 0"],
  [TodoQuery, { completed: 1 }, "options/completed must be true or false"],
  [TodoQuery, { limit: 201 }, "options/limit must be a whole number from 1 to 200"],
  [TodoQuery, { secret: 1 }, "unknown field"],
  [TodoQuery, { secret: 1, q: 1 }, "options/q must be a string of 1 to 200 characters (and 1 more)"],
  [Nested, { when: 1 }, "options/when must be null, {a} or {b}"],
  [Nested, { when: {} }, "options/when must be null, {a} or {b}"],
  [Nested, { when: { a: 1 } }, "options/when/a must be a string"],
  [Nested, {}, "options/when is required"],
  [Schema.Array(Schema.Literal("a")), 1, "options must be an array"],
  [Schema.Array(Schema.Literal("a")), ["b"], "options/0 must be a"]
]

describe("the message of an invalid input", () => {
  for (const [schema, value, message] of cases) {
    it.effect(`the message for ${JSON.stringify(value).slice(0, 40)} is "${message}"`, () =>
      Effect.map(refusalOf(schema, value), (refused) => assert.strictEqual(refused.message, message))
    )
  }

  it("the message is derived from the errors, and is not encoded", () => {
    const errors = [
      { pointer: "/title", message: "is required" },
      { pointer: "/x", message: "unknown field" }
    ]
    const refused = new InvalidInput({ errors })
    assert.strictEqual(refused.message, "title is required (and 1 more)")
    assert.deepStrictEqual(JSON.parse(JSON.stringify(refused)).errors, errors)
    assert.notProperty(Schema.encodeUnknownSync(InvalidInput)(refused), "message")
  })
})
