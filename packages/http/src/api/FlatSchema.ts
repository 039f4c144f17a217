/**
 * JSON Schema in the form that generators of clients read. Effect writes a second check of a
 * value, and the annotations of a field, as `allOf` with parts that have no type. Generators read each
 * part as a schema of its own: `unknown & unknown`, or code that does not parse.
 */

type Json = { readonly [key: string]: unknown }

const isObject = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value)

/** Values, not schemas. */
const isData = (key: string): boolean => /^(const|default|enum|example|examples)$/.test(key)

/** Words of a later part replace those of an earlier one: the field says more than its type. */
const isAnnotation = (key: string): boolean => /^(default|description|examples|title)$/.test(key)

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)

/** One keyword that stands for two, or `undefined` where none does. */
const both = (key: string, a: unknown, b: unknown): unknown => {
  if (same(a, b) || isAnnotation(key)) return b
  if (typeof a !== "number" || typeof b !== "number") return undefined
  if (/^(exclusiveM|m)in/.test(key)) return Math.max(a, b)
  return /^(exclusiveM|m)ax/.test(key) ? Math.min(a, b) : undefined
}

/** The schema of what meets both, without `allOf`; `undefined` where only `allOf` can say it. */
const merge = (one: Json, other: Json): Json | undefined => {
  const merged: Record<string, unknown> = { ...one }
  for (const [key, value] of Object.entries(other)) {
    const known = merged[key]
    const kept = known === undefined ? value : both(key, known, value)
    if (kept === undefined) return undefined
    merged[key] = kept
  }
  return merged
}

const withoutAllOf = ({ allOf, ...schema }: Json): Json => {
  if (!Array.isArray(allOf)) return schema
  let flat: Json = schema
  const rest: Array<Json> = []
  for (const part of allOf as ReadonlyArray<Json>) {
    const merged = merge(flat, part)
    if (merged === undefined) rest.push(part)
    else flat = merged
  }
  return rest.length === 0 ? flat : { ...flat, allOf: rest }
}

/** `string` or `null` as `type: ["string", "null"]`: generators keep the limits of the string so, but not in `anyOf`. */
const withNull = (schema: Json): Json => {
  const { anyOf, ...rest } = schema
  if (!Array.isArray(anyOf) || anyOf.length !== 2) return schema
  const [value, nothing] = anyOf as ReadonlyArray<Json>
  if (value === undefined || nothing === undefined || !same(nothing, { type: "null" })) return schema
  if (typeof value["type"] !== "string" || "enum" in value) return schema
  return merge({ ...value, type: [value["type"], "null"] }, rest) ?? schema
}

/** Any part of an OpenAPI document, with all schemas in it. */
export const flatten = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(flatten)
  if (!isObject(value)) return value
  const parts = Object.entries(value).map(([key, part]) => [key, isData(key) ? part : flatten(part)])
  return withNull(withoutAllOf(Object.fromEntries(parts)))
}
