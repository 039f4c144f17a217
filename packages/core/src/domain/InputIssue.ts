import * as Schema from "effect/Schema"
import { describe } from "./describe.ts"

/** One error of an input: a JSON Pointer (RFC 6901) to the value, and what is expected there. */
export const InputIssue = Schema.Struct({
  pointer: describe(Schema.String, "Where it is wrong (RFC 6901 JSON Pointer)"),
  message: describe(Schema.String, "What is expected there")
})
export type InputIssue = typeof InputIssue.Type

/** The message for a missing property. */
export const missing = "is required"

/** The message for an unknown property. */
export const unknownField = "unknown field"

/**
 * Formats one error of an input as a sentence.
 *
 * @example
 * explain({ pointer: "/title", message: "is required" }) // title is required
 */
export const explain = ({ message, pointer }: InputIssue): string => {
  const place = pointer.slice(1)
  if (message !== unknownField) return `${place || "the input"} ${message}`
  return place === "" ? message : `${message}: ${place}`
}
