import { UserId } from "@todo/core/domain"
import { ForeignImport, Import, type ImportConflict, type ImportInvalid, textFile } from "@todo/core/admin"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import type { PlatformError } from "effect/PlatformError"
import * as Schema from "effect/Schema"
import * as Stdio from "effect/Stdio"
import type * as Stream from "effect/Stream"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { runAsOperator } from "../database/RunAs.ts"
import { Usage } from "../errors/CommandError.ts"
import * as Flags from "../flags/Flags.ts"
import * as CsvImport from "../formats/CsvImport.ts"
import * as ICalendarImport from "../formats/ICalendarImport.ts"
import * as TodoTxtImport from "../formats/TodoTxtImport.ts"
import { ConversionNotes } from "../formats/ConversionNotes.ts"
import { resolveFilePath } from "../flags/FilePath.ts"
import { Json } from "../flags/GlobalFlags.ts"
import { printResult, printInfo, printError } from "../terminal/Output.ts"
import { withProgress } from "../terminal/Progress.ts"
import { oneLine } from "../terminal/TerminalText.ts"
import { renderImport, whyUnchanged } from "../views/ImportReportView.ts"

const isUserId = Schema.is(UserId)

export const importUser = Command.make(
  "import",
  {
    names: Argument.String("[id] file").pipe(
      Argument.withDescription(
        "The file to import, - for stdin. An id before the file imports it for that user, not for the user named in the file"
      ),
      Argument.between(1, 2)
    ),
    format: Flag.Literals("format", ["ndjson", "csv", "todotxt", "ics"]).pipe(
      Flag.withDescription("The file format (default: ndjson, which export writes)"),
      Flag.withDefault("ndjson" as const)
    ),
    merge: Flags.boolean(
      "merge",
      "Import for a user who has data: add missing rows, and keep the later version of rows that differ"
    ),
    dryRun: Flags.boolean("dry-run", "Print what the import would do, without changing anything")
  },
  Effect.fnUntraced(function* ({ dryRun, format, merge, names }) {
    const { path, user } = yield* namesOf(names)
    if (path === "") return yield* new Usage({ message: "the name of the file must not be empty" })
    if (merge && format !== "ndjson") {
      return yield* new Usage({
        message: `--merge is only for ndjson; an import of ${format} never changes existing todos`
      })
    }
    const files = yield* FileSystem.FileSystem
    const { stdin } = yield* Stdio.Stdio
    const bytes = path === "-" ? stdin : files.stream(yield* resolveFilePath(path))
    const options = { dryRun, watch: reportProgress }
    const notes = new ConversionNotes()
    const imported = Effect.gen(function* () {
      if (format === "ndjson")
        return yield* Import.restore<PlatformError, never, ProgressServices>(bytes, { ...options, user, merge })
      if (user === undefined)
        return yield* new Usage({ message: `--format ${format} needs the id of a user before the file` })
      const todos = parseTodos(format, textFile(bytes), notes)
      return yield* ForeignImport.run<PlatformError | ImportInvalid, never, ProgressServices>(todos, {
        ...options,
        user
      })
    })
    const report = yield* runAsOperator(imported).pipe(
      Effect.tapErrorTag("ImportInvalid", printProblems),
      Effect.tapErrorTag("ImportConflict", printProblems)
    )
    const leftOut = notes.all
    yield* printResult({ ...report, ...(format !== "ndjson" && { leftOut }), dryRun }, renderImport)
    for (const note of leftOut.slice(0, maxPrinted)) yield* printInfo(oneLine(ConversionNotes.format(note)))
    if (leftOut.length > maxPrinted) yield* printInfo(`and ${leftOut.length - maxPrinted} more`)
    const reason = dryRun ? "this was a dry run" : whyUnchanged(report)
    if (reason !== undefined) yield* printInfo(`Nothing was changed: ${reason}`)
  })
).pipe(
  Command.withDescription(
    "Import the ndjson file of an export. If any line is invalid, nothing is imported. A second import changes nothing.\n" +
      "  A user who has never written anything gets an exact copy: revisions, positions, times and trash. With an id before\n" +
      "  the file, the data becomes that user's, whatever user the file names.\n" +
      "  If the user has data, each row of the file must be there unchanged; otherwise the import exits with 4. With\n" +
      "  --merge, missing rows are added. Of two versions of a row, the one with the later updatedAt is kept; if the times\n" +
      "  are equal, the one in the database. Rows that are not in the file stay. Rows that a merge changes get new\n" +
      "  revisions, so that clients see the change. A row keeps its position if that is free, and otherwise moves to the end.\n" +
      "  csv (the columns of the export; title is required), todotxt and ics need an id. They add only todos that the user\n" +
      "  does not have yet, recognised by id or by the content of the line. Present todos stay as they are. A message names\n" +
      "  each line with content that cannot be imported, such as the name of a list; with --json, see leftOut.\n" +
      "  If lines are invalid, the first 20 are printed with their numbers (on stdout with --json), nothing is imported,\n" +
      "  and the import exits with 2"
  ),
  Command.withShortDescription("Import an export, or a CSV, todo.txt or iCalendar file"),
  Command.withExamples([
    { command: "todo-admin user import alice.ndjson --dry-run", description: "Show what the import would do" },
    { command: "todo-admin user import bob alice.ndjson", description: "Import the data of alice for bob" },
    {
      command: "gunzip -c alice.ndjson.gz | todo-admin user import - --merge",
      description: "Restore missing rows from a backup"
    },
    { command: "todo-admin user import alice todo.txt --format todotxt" }
  ])
)

/** `FILE`, or `ID FILE`. */
const namesOf = Effect.fnUntraced(function* ([first = "", path]: ReadonlyArray<string>) {
  if (path === undefined) return { path: first, user: undefined }
  if (!isUserId(first)) {
    return yield* new Usage({ message: "the id must have 1 to 255 characters and no control characters" })
  }
  return { path, user: first }
})

const parseTodos = <E, R>(
  format: "csv" | "todotxt" | "ics",
  bytes: Stream.Stream<Uint8Array, E, R>,
  notes: ConversionNotes
): Stream.Stream<ForeignImport.UnvalidatedTodo, E, R> => {
  switch (format) {
    case "csv":
      return CsvImport.parse(bytes, notes)
    case "todotxt":
      return TodoTxtImport.parse(bytes, notes)
    case "ics":
      return ICalendarImport.parse(bytes, notes)
  }
}

/** The most notes that are printed for people. JSON has all of them. */
const maxPrinted = 20

type ProgressServices = Effect.Services<ReturnType<typeof withProgress<void, never, never>>>

const reportProgress = <A, E, R>(
  step: "reading" | "writing",
  total: number | undefined,
  use: (advance: (count: number) => Effect.Effect<void>) => Effect.Effect<A, E, R>
) => withProgress(step === "reading" ? "Reading" : "Importing", total, use)

/** Prints the invalid lines: as a document with `--json`, else on stderr. The error itself follows. */
const printProblems = Effect.fnUntraced(function* ({ count, problems }: ImportInvalid | ImportConflict) {
  if (yield* Json) return yield* printResult({ problems, count }, () => "")
  for (const { line, message } of problems) yield* printError(oneLine(`line ${line}: ${message}`))
  if (count > problems.length) yield* printError(`and ${count - problems.length} more`)
})
