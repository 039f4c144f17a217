import * as Schema from "effect/Schema"

/**
 * Text that is stored without loss. PostgreSQL cannot store U+0000, and UTF-8 cannot encode an unpaired surrogate, so both
 * are refused.
 */
const isStorable = Schema.makeFilter<string>((text) => text.isWellFormed() && !text.includes("\u0000"), {
  message: "must not contain U+0000 or unpaired surrogates"
})

/** Text of `min` to `max` Unicode code points. */
export const text = (min: number, max: number) =>
  Schema.String.check(
    isStorable,
    Schema.isBetweenCodePoints(min, max, {
      expected: `a string of ${min === 0 ? "at most" : `${min} to`} ${max.toLocaleString("en")} characters`
    })
  )

/** Text of 1 to `max` Unicode code points, at least one of which is not white space. */
export const visibleText = (max: number) =>
  text(1, max).check(Schema.isPattern(/\S/u, { message: "must have a character that is not white space" }))

/** Text of a search: 1 to `max` Unicode code points, at least one of which is visible. */
export const searchText = (max: number) =>
  visibleText(max).check(
    Schema.makeFilter((text) => /[^\s\p{Cc}\p{Me}\p{Default_Ignorable_Code_Point}\u0640]/u.test(text), {
      message: "must have a character that can be seen"
    })
  )
