import * as Schema from "effect/Schema"
import type * as SchemaIssue from "effect/SchemaIssue"
import { toInvalidInput } from "../../domain/Input.ts"
import { explain } from "../../domain/InputIssue.ts"

const fields = {
  /** The first 20 problems, in the order of the file. */
  problems: Schema.Array(Schema.Struct({ line: Schema.Int, message: Schema.String })),
  /** The number of all problems. */
  count: Schema.Int
}

const lines = (count: number) => (count === 1 ? "1 line" : `${count} lines`)

/** The file is not valid. Nothing was imported. */
export class ImportInvalid extends Schema.TaggedError<ImportInvalid>()("ImportInvalid", fields) {
  override get message() {
    return `Nothing was imported: ${lines(this.count)} of the file ${this.count === 1 ? "is" : "are"} not valid`
  }
}

/** The user has data that differs from the file. Nothing was imported. */
export class ImportConflict extends Schema.TaggedError<ImportConflict>()("ImportConflict", fields) {
  override get message() {
    return `Nothing was imported: the user has data, and ${lines(this.count)} of the file ${this.count === 1 ? "is" : "are"} not part of it`
  }
}

/** The maximum number of problems in an error. */
export const maxProblems = 20

/** Collects problems: the first ones, and the number of all. */
export class Problems {
  readonly first: Array<{ readonly line: number; readonly message: string }> = []
  count = 0

  /** Adds a problem. Returns no rows, for callers that return the rows of a line. */
  add(line: number, message: string): readonly [] {
    this.count++
    if (this.first.length < maxProblems) this.first.push({ line, message })
    return []
  }

  /** Adds the first issue of a schema, and the number of further ones. */
  addIssue(line: number, issue: SchemaIssue.Issue, what = ""): readonly [] {
    const { errors, message } = toInvalidInput(issue)
    const [only, ...more] = errors
    // The file is the operator's own, so an unknown field may be named.
    return this.add(line, what + (only !== undefined && more.length === 0 ? explain(only) : message))
  }
}
