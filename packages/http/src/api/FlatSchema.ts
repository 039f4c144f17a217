/**
 * Flattens `allOf` in JSON Schema, for generators of clients. Effect writes the second check of a value, and the
 * annotations of a field, as parts of `allOf` that have no type. Generators read each part as a schema of its own and
 * produce `unknown & unknown`, or code that does not parse.
 */

type Json = { readonly [key: string]: unknown }

const isObject = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value)

/** Keywords whose value is data, not a schema. */
const isData = (key: string): boolean => /^(const|default|enum|example|examples)$/.test(key)

/** Annotations. Those of a later part replace those of an earlier one: a field describes more than its type. */
const isAnnotation = (key: string): boolean => /^(default|description|examples|title)$/.test(key)

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)

/** The value of a keyword that satisfies both values, or `undefined` if no single value does. */
const both = (key: string, a: unknown, b: unknown): unknown => {
  if (same(a, b) || isAnnotation(key)) return b
  if (typeof a !== "number" || typeof b !== "number") return undefined
  if (/^(exclusiveM|m)in/.test(key)) return Math.max(a, b)
  return /^(exclusiveM|m)ax/.test(key) ? Math.min(a, b) : undefined
}

/** One schema that means both, or `undefined` if only `allOf` can express it. */
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

/** Writes `string` or `null` as `type: ["string", "null"]`. Generators lose the limits of the string in `anyOf`. */
const withNull = (schema: Json): Json => {
  const { anyOf, ...rest } = schema
  if (!Array.isArray(anyOf) || anyOf.length !== 2) return schema
  const [value, nothing] = anyOf as ReadonlyArray<Json>
  if (value === undefined || nothing === undefined || !same(nothing, { type: "null" })) return schema
  if (typeof value["type"] !== "string" || "enum" in value) return schema
  return merge({ ...value, type: [value["type"], "null"] }, rest) ?? schema
}

/** Flattens all schemas in a part of an OpenAPI document. */
export const flatten = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(flatten)
  if (!isObject(value)) return value
  const parts = Object.entries(value).map(([key, part]) => [key, isData(key) ? part : flatten(part)])
  return withNull(withoutAllOf(Object.fromEntries(parts)))
}
