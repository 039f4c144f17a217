import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { Todo } from "../../domain/Todo.ts"
import type { TodoList } from "../../domain/TodoList.ts"
import { type Line, LineReader } from "../../formats/LineReader.ts"
import * as OrderKey from "../../writes/OrderKey.ts"
import { Header, ListLine, longestLine, TodoLine, Trailer } from "../export/ExportFormat.ts"
import { Problems } from "./ImportProblems.ts"

/** A valid row of the file. */
export type ExportedRow = { readonly line: number } & (
  | { readonly kind: "list"; readonly row: TodoList }
  | { readonly kind: "todo"; readonly row: Todo }
)

const strictly = { errors: "all", onExcessProperty: "error" } as const
const decodeHeader = Schema.decodeUnknownResult(Header, strictly)
const decodeList = Schema.decodeUnknownResult(ListLine, strictly)
const decodeTodo = Schema.decodeUnknownResult(TodoLine, strictly)
const decodeTrailer = Schema.decodeUnknownResult(Trailer, strictly)

/** Parses an export in chunks. It checks each line against its schema, the header and the line before it. */
export class ExportReader {
  readonly problems = new Problems()
  header: Header | undefined
  readonly #lines = new LineReader(longestLine)
  readonly #counts = { lists: 0, todos: 0 }
  #isOver = false
  #number = 0
  #last: ExportedRow | undefined;

  /** The rows that end in this chunk. */
  *read(bytes: Uint8Array): Generator<ExportedRow> {
    yield* this.#rows(this.#lines.read(bytes))
  }

  /** The row at the end of the file, if any. It reports a file that was cut off. */
  *end(): Generator<ExportedRow> {
    yield* this.#rows(this.#lines.end())
    if (this.header !== undefined && !this.#isOver) {
      this.#wrong(this.#number, "the file was cut off: its last line is missing")
    }
  }

  *#rows(lines: Iterable<Line>): Generator<ExportedRow> {
    for (const { number, text } of lines) {
      this.#number = number
      // Without a header it is another kind of file, and a problem for each line would not help.
      if (number > 1 && this.header === undefined) continue
      const row = this.#row(number, text)
      if (row === undefined) continue
      this.#last = row
      yield row
    }
  }

  #row(line: number, text: string | undefined): ExportedRow | undefined {
    if (text === undefined)
      return this.#wrong(line, "the line must be UTF-8 and not longer than a line of an export can be")
    if (this.#isOver) return this.#wrong(line, "there must be nothing after the last line of the export")
    let document: unknown
    try {
      document = JSON.parse(text)
    } catch {
      return this.#wrong(line, "the line must be JSON")
    }
    if (typeof document !== "object" || document === null) return this.#wrong(line, "the line must be a JSON object")
    if (line === 1) {
      this.header = this.#decoded(line, decodeHeader(document), "the first line is not that of an export: ")
      return undefined
    }
    if ("end" in document) return this.#trailer(line, document)
    if ("list" in document) {
      this.#counts.lists++
      const decoded = this.#decoded(line, decodeList(document))
      return decoded && this.#inOrder({ line, kind: "list", row: decoded.list })
    }
    if ("todo" in document) {
      this.#counts.todos++
      const decoded = this.#decoded(line, decodeTodo(document))
      return decoded && this.#inOrder({ line, kind: "todo", row: decoded.todo })
    }
    return this.#wrong(line, "the line must have a list, a todo or the end of the export")
  }

  #inOrder(next: ExportedRow): ExportedRow | undefined {
    const { kind, line, row } = next
    const last = this.#last
    const revision = this.header?.user.revision ?? 0
    if (last?.kind === kind && last.row.id === row.id)
      return this.#wrong(line, `${kind}/id must be unique; the previous line has the same one`)
    if (last !== undefined && (last.kind === kind ? last.row.id > row.id : last.kind === "todo")) {
      return this.#wrong(line, "the line is out of order: lists come before todos, each ordered by id")
    }
    if (row.revision > revision)
      return this.#wrong(line, `${kind}/revision must not be beyond the revision of the user`)
    if ((OrderKey.revisionOf(row.position) ?? 0) > revision) {
      return this.#wrong(line, `${kind}/position must not be beyond what the user's revision allows`)
    }
    return next
  }

  #trailer(line: number, document: object): undefined {
    this.#isOver = true
    const end = this.#decoded(line, decodeTrailer(document))?.end
    if (end !== undefined && (end.lists !== this.#counts.lists || end.todos !== this.#counts.todos)) {
      return this.#wrong(
        line,
        `end must count the ${this.#counts.lists} lists and ${this.#counts.todos} todos before it; lines are missing or added`
      )
    }
  }

  #decoded<A>(line: number, result: Result.Result<A, Schema.SchemaError>, what?: string): A | undefined {
    if (Result.isSuccess(result)) return result.success
    this.problems.addIssue(line, result.failure.issue, what)
    return undefined
  }

  #wrong(line: number, message: string): undefined {
    this.problems.add(line, message)
  }
}
