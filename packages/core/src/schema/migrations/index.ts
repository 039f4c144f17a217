import { baseline } from "./0005.ts"
import { done } from "./0006.ts"

/** One step of the schema. Its text is frozen: it imports nothing, and a test holds its checksum. */
export interface Migration {
  /** The version of the schema that it makes. */
  readonly id: number
  /** What it does, in a word or two. */
  readonly name: string
  /** Its statements, for the name of a schema that is quoted already. */
  readonly up: (schema: string) => ReadonlyArray<string>
}

/**
 * All of them, in order. The first makes everything up to its number, so its number is not 1. A change of a function
 * of the database (`functions/`) needs a number of its own too, with no statements: it tells servers and `migrate up`
 * which release is newer.
 */
export const migrations: ReadonlyArray<Migration> = [
  { id: 5, name: "baseline", up: baseline },
  { id: 6, name: "done todos", up: done }
]
