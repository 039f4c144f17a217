import * as Schema from "effect/Schema"
import { describe } from "./describe.ts"

/** One thing that is wrong with an input: where (RFC 6901 JSON Pointer), and what to do there. */
export const InputIssue = Schema.Struct({
  pointer: describe(Schema.String, "Where it is wrong (RFC 6901 JSON Pointer)"),
  message: describe(Schema.String, "What is expected there")
})
export type InputIssue = typeof InputIssue.Type

/** The message where a property is missing. */
export const missing = "is required"

/** The message where a property has no meaning. */
export const unknownField = "unknown field"

/**
 * One thing that is wrong with an input, as a sentence.
 *
 * @example
 * explain({ pointer: "/title", message: "is required" }) // title is required
 */
export const explain = ({ message, pointer }: InputIssue): string => {
  const place = pointer.slice(1)
  if (message !== unknownField) return `${place || "the input"} ${message}`
  return place === "" ? message : `${message}: ${place}`
}
