import * as Schema from "effect/Schema"
import type * as SchemaIssue from "effect/SchemaIssue"
import { toInvalidInput } from "../../domain/Input.ts"

const told = {
  /** The first of them, in the order of the file. */
  problems: Schema.Array(Schema.Struct({ line: Schema.Int, message: Schema.String })),
  /** How many there are. */
  count: Schema.Int
}

const lines = (count: number) => (count === 1 ? "1 line" : `${count} lines`)

/** The file is not as it has to be. Nothing was imported. */
export class ImportInvalid extends Schema.TaggedError<ImportInvalid>()("ImportInvalid", told) {
  override get message() {
    return `Nothing was imported: the file is wrong in ${lines(this.count)}`
  }
}

/** The user has something else than the file says. Nothing was imported. */
export class ImportConflict extends Schema.TaggedError<ImportConflict>()("ImportConflict", told) {
  override get message() {
    return `Nothing was imported: the user has data, and ${lines(this.count)} of the file ${this.count === 1 ? "is" : "are"} not part of it`
  }
}

/** How many problems are told of. */
export const most = 20

/** Collects what is wrong: the first ones, and how many there are. */
export class Problems {
  readonly first: Array<{ readonly line: number; readonly message: string }> = []
  count = 0

  /** Returns that there is no row. */
  add(line: number, message: string): readonly [] {
    this.count++
    if (this.first.length < most) this.first.push({ line, message })
    return []
  }

  /** What a schema found, in short. */
  addIssue(line: number, issue: SchemaIssue.Issue, what = ""): readonly [] {
    const [first, ...more] = toInvalidInput(issue).errors
    const where = first === undefined || first.pointer === "" ? "" : `${first.pointer.slice(1)}: `
    return this.add(line, `${what}${where}${first?.message}${more.length === 0 ? "" : ` (and ${more.length} more)`}`)
  }
}
