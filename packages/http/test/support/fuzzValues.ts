/**
 * Test kit: random values from the schemas of the OpenAPI document. Some are valid, some are nearly valid, and some are
 * hostile.
 */
import type { Random } from "../../../../.config/random.ts"

/** The part of JSON Schema that the document uses. */
export interface JsonSchema {
  readonly $ref?: string
  readonly type?: string
  readonly enum?: ReadonlyArray<string>
  readonly anyOf?: ReadonlyArray<JsonSchema>
  readonly allOf?: ReadonlyArray<JsonSchema>
  readonly pattern?: string
  readonly format?: string
  readonly examples?: ReadonlyArray<unknown>
  readonly minLength?: number
  readonly maxLength?: number
  readonly minimum?: number
  readonly maximum?: number
  readonly items?: JsonSchema
  readonly minItems?: number
  readonly maxItems?: number
  readonly uniqueItems?: boolean
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: ReadonlyArray<string>
}

/** The sender, and the rows that a request can refer to. */
export interface Sender {
  /** A canary. It is in every text of this user, and in no text of others. */
  readonly canary: string
  readonly todos: ReadonlyArray<string>
  readonly lists: ReadonlyArray<string>
  /** Rows of other users. */
  readonly foreign: ReadonlyArray<string>
}

/** JSON that `JSON.stringify` cannot produce. `toJson` inserts it. */
const raw = (text: string): string => `@raw:${text}`

const alphabet = [
  ..."abc XYZ 0123 '\"\\/%_;:,.<>&?#{}[]()|$*+-=~^`@!",
  ..."éßİıſκόσμε中文ﷺ１\u00a0\u00ad\u200b\u200d\u200f\u202e\u2028\u2029\ufeff\ufffd\uffff",
  ..."\t\n\r\u0001\u007f\u0085\u0301",
  "😀",
  "👩‍🚀",
  "🏳️‍🌈",
  "\u{10ffff}",
  "שלום",
  "مرحبا"
]

const snippets = [
  "'; drop table todo.todos; --",
  "{{7*7}}${7*7}",
  "../../etc/passwd",
  "<script>alert(1)</script>",
  "%00%0d%0aSet-Cookie:x=1",
  "__proto__",
  "null",
  "\\u0000",
  "to_tsquery & | ! ( <->",
  "%n%s%x"
]

const zones = ["UTC", "Europe/Paris", "Asia/Kathmandu", "Pacific/Kiritimati", "America/St_Johns", "Etc/GMT+12"]
/** Texts that some parser interprets in a special way. */
const zero = "\u0000"
const broken = ["", " ", "\t", zero, `a${zero}b`, "\ud800", "\udfffx", "\ude00\ud83d", "\ufeff", "😀".repeat(501)]
const words = [
  "null",
  "true",
  "NaN",
  "Infinity",
  "-0",
  "0x10",
  "1e3",
  "１",
  "[object Object]",
  "Mars/Olympus",
  "+01:00"
]
const times = [
  "2026-02-30",
  "0000-01-01",
  "10000-01-01",
  "infinity",
  "now",
  "2026-12-01T24:00:00",
  "2026-12-31T23:59:60Z",
  "9999-12-31T23:59:59.999-23:59",
  "0001-01-01T00:00:00+23:59",
  "2026-12-01T00:00:00.1234Z"
]

export class Values {
  readonly #random: Random
  readonly #definitions: Readonly<Record<string, JsonSchema>>
  readonly #sender: Sender
  /** The share of wrong values, from 0 to 1. */
  readonly #oddity: number

  constructor(random: Random, definitions: Readonly<Record<string, JsonSchema>>, sender: Sender, oddity: number) {
    this.#random = random
    this.#definitions = definitions
    this.#sender = sender
    this.#oddity = oddity
  }

  /** A value for the schema of the field `name`. */
  make(given: JsonSchema, name: string): unknown {
    const schema = this.#resolved(given)
    if (this.#random.chance(this.#oddity)) return this.#hostile(schema, name)
    return this.#fitting(schema, name)
  }

  /** A text for a query, a header or a path. */
  makeText(schema: JsonSchema, name: string): string {
    const value = this.make(schema, name)
    if (typeof value === "string") return value.startsWith("@raw:") ? value.slice(5) : value
    return typeof value === "object" ? toJson(value) : String(value)
  }

  /** Visible text with so many code points, with the canary if it fits. */
  text(length: number): string {
    const { canary } = this.#sender
    const lead = length >= canary.length ? canary : ""
    const rest = this.#random.list(length - lead.length, () => this.#random.pick(alphabet)).join("")
    const points = [...(lead + (this.#random.chance(0.2) ? this.#random.pick(snippets) : "") + rest)]
    const cut = points.slice(0, length).join("")
    return /\S/u.test(cut) ? cut : "x".repeat(length)
  }

  id(name: string): string {
    const { foreign, lists, todos } = this.#sender
    const random = this.#random
    const own = /list/i.test(name) ? lists : todos
    if (random.chance(0.75)) return random.pick(own)
    return random.chance(0.7) ? random.pick(foreign) : random.uuid()
  }

  #resolved({ $ref, allOf = [], ...schema }: JsonSchema): JsonSchema {
    const target = $ref === undefined ? {} : this.#resolved(this.#definitions[$ref.split("/").at(-1) ?? ""] ?? {})
    return Object.assign({}, target, ...allOf, schema)
  }

  #fitting(schema: JsonSchema, name: string): unknown {
    const random = this.#random
    if (schema.anyOf !== undefined) return this.make(random.pick(schema.anyOf), name)
    if (schema.enum !== undefined) return random.pick(schema.enum)
    switch (schema.type) {
      case "null":
        return null
      case "boolean":
        return random.chance(0.5)
      case "integer": {
        const { maximum = 200, minimum = 0 } = schema
        return random.chance(0.2) ? random.pick([minimum, maximum]) : minimum + random.int(maximum - minimum + 1)
      }
      case "array":
        return this.#items(schema, this.#length(schema.minItems ?? 0, schema.maxItems ?? 5), name)
      case "object":
        return this.#members(schema, name)
      default:
        return this.#string(schema, name)
    }
  }

  #items(schema: JsonSchema, length: number, name: string): Array<unknown> {
    const items = this.#random.list(length, () => this.make(schema.items ?? {}, name))
    return schema.uniqueItems === true ? [...new Set(items)] : items
  }

  #members(schema: JsonSchema, name: string): Record<string, unknown> {
    const random = this.#random
    const members: Record<string, unknown> = {}
    for (const [key, property] of Object.entries(schema.properties ?? {})) {
      const isRequired = schema.required?.includes(key) === true
      if (random.chance(isRequired ? 1 - this.#oddity / 2 : 0.4)) {
        members[key] = this.make(property, /^(id|before|after)$/.test(key) ? name : key)
      }
    }
    if (random.chance(this.#oddity / 2)) {
      const key = random.pick([
        "extra",
        "Title",
        "ownerId",
        "constructor",
        "",
        "a/b~c",
        `<${this.#sender.canary}>`,
        "😀",
        "\u0000"
      ])
      members[key] = this.text(20)
    }
    return members
  }

  /** A number of items: usually few, sometimes the limit. */
  #length(min: number, max: number): number {
    const random = this.#random
    if (random.chance(0.03)) return random.pick([min, max])
    return Math.min(max, min + random.int(4))
  }

  #string({ format, maxLength = 60, minLength = 0, pattern = "" }: JsonSchema, name: string): string {
    const random = this.#random
    if (format === "uuid") return this.id(name)
    const two = (limit: number, from = 0) => String(from + random.int(limit)).padStart(2, "0")
    const date = () => `${random.pick(["2026", "2024", "1970", "9999", "0001"])}-${two(12, 1)}-${two(28, 1)}`
    const time = () => `${two(24)}:${two(60)}:${two(60)}`
    if (format === "date") return date()
    if (format === "date-time") return `${date()}T${time()}${random.pick(["Z", ".5Z", "+05:45", "-12:00", "+14:00"])}`
    if (pattern.includes("T(")) return `${date()}T${time()}`
    if (pattern.startsWith("^[A-Za-z]")) return random.pick(zones)
    if (pattern.includes("x21-")) return `${this.#sender.canary}-key-${random.int(30)}`
    const length = random.chance(0.05) ? random.pick([minLength, maxLength]) : minLength + random.int(40)
    return this.text(Math.max(minLength, Math.min(length, maxLength)))
  }

  #hostile(schema: JsonSchema, name: string): unknown {
    const random = this.#random
    const { maxItems, maxLength, maximum, minLength, minimum } = schema
    const near: Array<() => unknown> = []
    if (maxLength !== undefined) {
      near.push(
        () => this.text(maxLength + 1),
        () => "😀".repeat(maxLength + 1),
        () => "".padEnd((minLength ?? 0) - 1),
        () => this.text(maxLength * 3)
      )
    }
    if (maximum !== undefined) near.push(() => maximum + 1)
    if (minimum !== undefined)
      near.push(
        () => minimum - 1,
        () => minimum + 0.5
      )
    if (maxItems !== undefined) near.push(() => this.#items(schema, maxItems + 1, name))
    if (schema.enum !== undefined)
      near.push(
        () => random.pick(schema.enum ?? [""]).toUpperCase(),
        () => `${random.pick(schema.enum ?? [""])} `
      )
    if (schema.format === "uuid") {
      near.push(
        () => `urn:uuid:${this.id(name)}`,
        () => `{${this.id(name)}}`,
        () => this.id(name).replaceAll("-", ""),
        () => `${this.id(name)}0`
      )
    }
    if (schema.type === "string")
      near.push(() => `${this.#string(schema, name)}${random.pick(["\u0000", "\ud83d", " ", "\n"])}`)
    return near.length > 0 && random.chance(0.5) ? random.pick(near)() : this.#anything(3)
  }

  #anything(depth: number): unknown {
    const random = this.#random
    switch (random.int(depth > 0 ? 8 : 5)) {
      case 0:
        return random.pick([null, true, false, "@raw:1e400", "@raw:-0", "@raw:123456789012345678901234567890"])
      case 1:
        return random.pick([0, -1, 1.5, 2 ** 31, -(2 ** 31), 2 ** 53, 1e21, 1e308, 5e-324, 987_654_321])
      case 2:
        return random.pick(random.pick([broken, words, times]))
      case 3:
        return this.text(random.pick([1, 20, 300]))
      case 4:
        return this.#sender.canary.repeat(random.pick([1, 1, 1, 300]))
      case 5:
        return random.list(random.int(3), () => this.#anything(depth - 1))
      case 6:
        return random.chance(0.5) ? raw(nested(random.pick([2, 50, 3_000]))) : {}
      default:
        return { [random.pick(["a", "valueOf", "date", "op", "toString"])]: this.#anything(depth - 1) }
    }
  }
}

const nested = (levels: number): string => "[".repeat(levels) + "]".repeat(levels)

/** Encodes as JSON, and inserts `raw` unchanged. */
export const toJson = (value: unknown): string => JSON.stringify(value).replaceAll(/"@raw:([^"]*)"/g, "$1")
