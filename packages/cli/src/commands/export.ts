import { type Todo, UserId } from "@todo/core/domain"
import { Export } from "@todo/core/admin"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { runAsOperator } from "../database/RunAs.ts"
import * as OutputFile from "../terminal/OutputFile.ts"
import * as CsvExport from "../formats/CsvExport.ts"
import * as ICalendarExport from "../formats/ICalendarExport.ts"
import { ConversionNotes } from "../formats/ConversionNotes.ts"
import * as TodoTxtExport from "../formats/TodoTxtExport.ts"
import * as Flags from "../flags/Flags.ts"
import { resolveFilePath } from "../flags/FilePath.ts"
import { printResult, printInfo } from "../terminal/Output.ts"
import { withProgress } from "../terminal/Progress.ts"
import { pluralize, oneLine } from "../terminal/TerminalText.ts"

const formats = ["ndjson", "ics", "csv", "todotxt"] as const

export const exportUser = Command.make(
  "export",
  {
    id: Argument.String("id").pipe(
      Flags.withSchema(UserId),
      Argument.withDescription("The id of the user: the sub claim of the user's tokens")
    ),
    format: Flag.Literals("format", formats).pipe(
      Flag.withDescription("The file format (default: ndjson). Only ndjson can be imported without loss"),
      Flag.withDefault("ndjson" as const)
    ),
    output: Flag.String("output").pipe(
      Flag.withAlias("o"),
      Flag.withMetavar("FILE"),
      Flags.withSchema(Schema.NonEmptyString.annotate({ expected: "the name of a file" })),
      Flag.withDescription("Write to this file instead of stdout (-). The file appears when it is complete"),
      Flag.optional
    )
  },
  Effect.fnUntraced(function* ({ format, id, output: named }) {
    const output =
      Option.isSome(named) && named.value !== "-" ? Option.some(yield* resolveFilePath(named.value)) : Option.none()
    const notes = new ConversionNotes()
    const written = yield* runAsOperator(
      Export.snapshot(
        id,
        Effect.fnUntraced(function* ({ counts, lists, todos, user }) {
          const written = { lists: 0, todos: 0 }
          yield* withExportProgress(output, counts.lists + counts.todos, (advance) => {
            const countPages = <Row extends Stored>(kind: keyof typeof written, pages: Pages<Row>): Pages<Row> =>
              pages.pipe(
                Stream.tap(({ length }) => advance(length)),
                Stream.map((rows) => (format === "ndjson" ? rows : rows.filter(({ deletedAt }) => deletedAt === null))),
                Stream.tap(({ length }) => Effect.sync(() => void (written[kind] += length)))
              )
            const snapshot = { counts, user, lists: countPages("lists", lists), todos: countPages("todos", todos) }
            return OutputFile.write(output, text(format, snapshot, notes))
          })
          return written
        })
      )
    )
    const lists = format === "ndjson" ? `${pluralize(written.lists, "list")} and ` : ""
    const summary = `Exported ${lists}${pluralize(written.todos, "todo")} of ${oneLine(id)}`
    const leftOut = notes.all
    for (const note of leftOut) yield* printInfo(oneLine(ConversionNotes.format(note)))
    if (Option.isNone(output)) return yield* printInfo(summary)
    const report = { user: id, format, file: output.value, ...written, ...(format === "todotxt" && { leftOut }) }
    yield* printResult(report, ({ file }) => `${summary} to ${oneLine(file)}`)
  })
).pipe(
  Command.withDescription(
    "Write all data of a user to a file or to stdout, as a consistent snapshot. The same data gives the same bytes.\n" +
      "  ndjson is a backup with one JSON document per line. It includes the trash, revisions and positions. Its last line\n" +
      "  shows that the file is complete. It contains no secrets and no idempotency keys.\n" +
      "  ics is for calendars: due times are in UTC, lists are left out. csv is for spreadsheets: text that a spreadsheet\n" +
      "  could run as a formula gets a leading apostrophe. todotxt has one line per todo: a message names each line with a\n" +
      "  field that the format lacks, such as the description. ics, csv and todotxt leave out the trash"
  ),
  Command.withShortDescription("Export the data of a user: a backup, calendar, CSV or todo.txt"),
  Command.withExamples([
    { command: "todo-admin user export alice --output alice.ndjson", description: "A backup" },
    { command: "todo-admin user export alice | gzip > alice.ndjson.gz" },
    { command: "todo-admin user export alice --format ics --output alice.ics", description: "For a calendar program" }
  ])
)

type Unavailable = Stream.Error<Export.Snapshot["todos"]>
type Pages<Row> = Stream.Stream<ReadonlyArray<Row>, Unavailable>
type Stored = Pick<Todo, "deletedAt">

/** Shows a progress bar, unless the export itself goes to the terminal. */
const withExportProgress = Effect.fnUntraced(function* <A, E, R>(
  output: Option.Option<string>,
  total: number,
  use: (advance: (count: number) => Effect.Effect<void>) => Effect.Effect<A, E, R>
) {
  const { stdoutIsTerminal } = yield* Stdio.Stdio
  return Option.isNone(output) && (yield* stdoutIsTerminal)
    ? yield* use(() => Effect.void)
    : yield* withProgress("Exporting", total, use)
})

const text = (
  format: (typeof formats)[number],
  snapshot: Export.Snapshot,
  notes: ConversionNotes
): Stream.Stream<string, Unavailable> => {
  switch (format) {
    case "ndjson":
      return Export.toLines(snapshot)
    case "ics":
      return ICalendarExport.format(snapshot.todos)
    case "csv":
    case "todotxt":
      return Stream.unwrap(
        Effect.map(Stream.runCollect(snapshot.lists), (pages) => {
          const lists = new Map(pages.flat().map(({ id, name }) => [id, name]))
          return format === "csv"
            ? CsvExport.format(snapshot.todos, lists)
            : TodoTxtExport.format(snapshot.todos, lists, notes)
        })
      )
  }
}
