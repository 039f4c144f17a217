import { baseline } from "./0005.ts"
import { done } from "./0006.ts"
import { checkColumns } from "./0008.ts"

/** One migration. Its text is frozen: it imports nothing, and a test compares its checksum. */
export interface Migration {
  /** The version of the schema after it. */
  readonly id: number
  /** A short description. */
  readonly name: string
  /** Returns the statements. `schema` is the quoted name. */
  readonly up: (schema: string) => ReadonlyArray<string>
}

/**
 * All migrations, in order. The first is a baseline: it makes everything up to its number, which is not 1. A change of a
 * database function (`functions/`) needs a migration without statements: its number tells servers and `migrate up` which
 * release is newer. All missing migrations run in one transaction, so an index or a constraint on a large table blocks
 * writes until the end: say so in the changelog.
 */
export const migrations: ReadonlyArray<Migration> = [
  { id: 5, name: "baseline", up: baseline },
  { id: 6, name: "done todos", up: done },
  { id: 7, name: "tags among the words", up: () => [] },
  { id: 8, name: "one table a statement", up: checkColumns }
]
