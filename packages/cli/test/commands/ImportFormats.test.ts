import { assert, describe, layer } from "@effect/vitest"
import { Database, type Todo, Todos, UserId } from "@todo/core"
import { ForeignImport, Import, type ImportInvalid, textFile } from "@todo/core/admin"
import { TestDatabase } from "@todo/core/testing"
import { Effect, Stream } from "effect"
import { ConversionNotes } from "../../src/formats/ConversionNotes.ts"
import * as CsvImport from "../../src/formats/CsvImport.ts"
import * as ICalendarImport from "../../src/formats/ICalendarImport.ts"
import * as TodoTxtImport from "../../src/formats/TodoTxtImport.ts"
import { asUser, newUser } from "../support/program.ts"

const formats = { csv: CsvImport.parse, ics: ICalendarImport.parse, txt: TodoTxtImport.parse }
type Format = keyof typeof formats | "ndjson"

/** The todos that are read from a file in pieces of `size` bytes, or the problems of the file. */
const imported = Effect.fnUntraced(function* (format: Format, file: string | Uint8Array, size: number) {
  const { ownerUrl } = yield* TestDatabase
  const user = UserId.make(newUser())
  const all = Buffer.from(file)
  const starts = Array.from({ length: Math.ceil(all.length / size) }, (_, n) => n * size)
  const bytes = Stream.fromIterable(starts.map((at) => all.subarray(at, at + size)))
  const notes = new ConversionNotes()
  const options = {
    dryRun: false,
    watch: <A>(_step: string, _total: unknown, use: (advance: () => Effect.Effect<void>) => A) => use(() => Effect.void)
  }
  const importing =
    format === "ndjson"
      ? Import.restore<never, never, never>(bytes, { ...options, user, merge: false })
      : ForeignImport.run<ImportInvalid, never, never>(formats[format](textFile(bytes), notes), { ...options, user })
  const wrong = yield* importing.pipe(
    Effect.as(undefined),
    Effect.catchTag("ImportInvalid", (error: ImportInvalid) => Effect.succeed(error)),
    Effect.provide(Database.layer({ url: ownerUrl, poolSize: 1, unlimited: true }))
  )
  if (wrong !== undefined) return { problems: wrong.problems.map(({ line, message }) => `line ${line}: ${message}`) }
  const { items } = yield* asUser(
    user,
    Effect.flatMap(Todos, ({ list }) => list({ limit: 200 }))
  )
  return { items, notes: notes.all.map(ConversionNotes.format) }
})

const plain: Partial<Todo> = {
  completed: false,
  completedAt: null,
  due: null,
  priority: "none",
  tags: [],
  description: null
}

type Expected = Partial<Todo> & Pick<Todo, "title">
type Case = readonly [
  what: string,
  format: Format,
  file: string | Uint8Array,
  todos: ReadonlyArray<Expected>,
  ...notes: ReadonlyArray<string>
]

const midnight = (day: string) => `${day}T00:00:00.000Z`
const titled = (...titles: ReadonlyArray<string>) => titles.map((title) => ({ title }))
const le = (text: string) => Buffer.from(text, "utf16le")
const be = (text: string) => le(text).swap16()

const calendar = (...lines: ReadonlyArray<string>) =>
  ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:x", ...lines, "END:VCALENDAR", ""].join("\r\n")
const vtodo = (...lines: ReadonlyArray<string>) => calendar("BEGIN:VTODO", "SUMMARY:a", ...lines, "END:VTODO")

const used: ReadonlyArray<Case> = [
  [
    "priority and both dates of a line that is done",
    "txt",
    "x (C) 2024-09-02 2024-09-01 pay rent",
    [
      {
        title: "pay rent",
        completed: true,
        priority: "low",
        completedAt: midnight("2024-09-02"),
        createdAt: midnight("2024-09-01")
      }
    ]
  ],
  [
    "a priority behind the date of completion",
    "txt",
    "x 2024-09-02 (A) 2024-09-01 pay rent",
    [
      {
        title: "pay rent",
        completed: true,
        priority: "high",
        completedAt: midnight("2024-09-02"),
        createdAt: midnight("2024-09-01")
      }
    ]
  ],
  [
    "a priority that is kept as pri:",
    "txt",
    "x 2024-09-02 pay rent pri:B\n(A) call pri:A\n(A) call pri:B\nx (A) 2024-01-01 (B) b",
    [
      { title: "pay rent", completed: true, priority: "medium", completedAt: midnight("2024-09-02") },
      { title: "call", priority: "high" },
      { title: "call pri:B", priority: "high" },
      { title: "(B) b", completed: true, priority: "high", completedAt: midnight("2024-01-01") }
    ]
  ],
  [
    "what stands where the format does not have it, as text",
    "txt",
    "X done\nxylophone\n(a) b\n(A)->c\nsay (A) 2024-01-01\n2024-01-01 d\n(A) x 2024-01-02 e",
    [
      { title: "X done" },
      { title: "xylophone" },
      { title: "(a) b" },
      { title: "(A)->c" },
      { title: "say (A) 2024-01-01" },
      { title: "d", createdAt: midnight("2024-01-01") },
      { title: "x 2024-01-02 e", priority: "high" }
    ]
  ],
  [
    "tags, a due date and other keys",
    "txt",
    "a +Home @Home  b due:2024-09-03 t:2024-09-01 due:2024-09-04 rec:1w 1+1 a@b",
    [{ title: "a b t:2024-09-01 due:2024-09-04 rec:1w 1+1 a@b", tags: ["Home"], due: { date: "2024-09-03" } }]
  ],
  [
    "a priority that we do not have",
    "txt",
    "(D) a\n(E) b\n(D) c\n",
    [
      { title: "a", priority: "low" },
      { title: "b", priority: "low" },
      { title: "c", priority: "low" }
    ],
    "line 1: priority D is imported as low (and on 1 more)",
    "line 2: priority E is imported as low"
  ],
  [
    "a byte order mark, lines of Windows, blank ones",
    "txt",
    "\uFEFF(A) a\r\n\r\n \r\nb\r\n",
    [{ title: "a", priority: "high" }, { title: "b" }]
  ],
  ["lines of the old Mac", "txt", "a\r\rb\r(A) c", [{ title: "a" }, { title: "b" }, { title: "c", priority: "high" }]],
  ["a byte order mark and lines of Windows", "csv", "\uFEFFtitle,tags\r\na,\r\n\r\nb,\r\n", titled("a", "b")],
  [
    "lines of the old Mac",
    "csv",
    'title,tags\ra,"x,y"\r"b\rc",',
    [{ title: "a", tags: ["x", "y"] }, { title: "b\rc" }]
  ],
  [
    "tags with spaces around them, twice or empty",
    "csv",
    'title,tags\na,"home, work"\nb," home ,home,, work ,"\nc,"\\ x,y\\ ,z\\\\,\\,"\n',
    [
      { title: "a", tags: ["home", "work"] },
      { title: "b", tags: ["home", "work"] },
      { title: "c", tags: [" x", "y ", "z\\", ","] }
    ]
  ],
  [
    "when something was completed",
    "csv",
    "title,completedAt\na,2024-09-02T10:00:00Z\nb,\n",
    [{ title: "a", completed: true, completedAt: "2024-09-02T10:00:00.000Z" }, { title: "b" }]
  ],
  [
    "names of columns in any case, values with spaces around them",
    "csv",
    " Title , COMPLETED,Priority,Due,timezone\n a ,TRUE, High , 2024-09-02 ,\nb, yes,LOW,2024-09-02T10:00:00, Europe/Paris\nc,1,,,\nd,no,,,\ne,0,,,\nf,False,,,\n",
    [
      { title: " a ", completed: true, priority: "high", due: { date: "2024-09-02" } },
      {
        title: "b",
        completed: true,
        priority: "low",
        due: { dateTime: "2024-09-02T10:00:00", timeZone: "Europe/Paris" }
      },
      { title: "c", completed: true },
      ...titled("d", "e", "f")
    ]
  ],
  [
    "semicolons, as Excel writes them",
    "csv",
    'sep=;\ntitle;tags;\n"a;b";"x,y";\n5" nails;;\n;;\n',
    [{ title: "a;b", tags: ["x", "y"] }, { title: '5" nails' }]
  ],
  ["tabs, and rows without anything", "csv", "title\ttags\n\t\na, b\tx\n\t\n", [{ title: "a, b", tags: ["x"] }]],
  ["a header and no todo", "csv", "title,tags\n", []],
  [
    "a list and a time of change",
    "csv",
    "title,list,updatedAt\na,Errands,\nb,,2024-01-01T00:00:00Z\nc,Errands,\n",
    titled("a", "b", "c"),
    "line 2: the name of the list is left out: todos are imported without a list (and on 1 more)",
    "line 3: updatedAt is left out: it becomes the time of the import"
  ],
  [
    "all that we have a place for",
    "ics",
    vtodo(
      "UID:019AB2C3-0000-7000-8000-00000000000F",
      "DTSTAMP:20240101T000000Z",
      "DESCRIPTION:one\\, two\\nth",
      " ree",
      "DUE;TZID=Europe/Paris:20240902T100000",
      "PRIORITY:4",
      "CATEGORIES:home, work",
      "CATEGORIES:home",
      "STATUS:COMPLETED",
      "PERCENT-COMPLETE:100",
      "COMPLETED:20240903T101112Z",
      "CREATED:20240101T010203Z"
    ),
    [
      {
        id: "019ab2c3-0000-7000-8000-00000000000f" as Todo["id"],
        title: "a",
        description: "one, two\nthree",
        due: { dateTime: "2024-09-02T10:00:00", timeZone: "Europe/Paris" },
        priority: "high",
        tags: ["home", "work"],
        completed: true,
        completedAt: "2024-09-03T10:11:12.000Z",
        createdAt: "2024-01-01T01:02:03.000Z"
      }
    ]
  ],
  [
    "a day, and the other priorities",
    "ics",
    calendar(
      ...["0", "1", "5", "6", "9"].flatMap((n) => [
        "BEGIN:VTODO",
        `SUMMARY:${n}`,
        `PRIORITY:${n}`,
        "DUE;VALUE=DATE:20240902",
        "END:VTODO"
      ])
    ),
    [
      { title: "0", due: { date: "2024-09-02" } },
      { title: "1", priority: "high", due: { date: "2024-09-02" } },
      { title: "5", priority: "medium", due: { date: "2024-09-02" } },
      { title: "6", priority: "low", due: { date: "2024-09-02" } },
      { title: "9", priority: "low", due: { date: "2024-09-02" } }
    ]
  ],
  [
    "times in UTC, and in a zone behind a prefix",
    "ics",
    vtodo("DUE:20240902T100000Z").replace(
      "END:VTODO",
      "END:VTODO\r\nBEGIN:VTODO\r\nSUMMARY:b\r\nDUE;TZID=/example.org/1/Europe/Paris:20240902T100000\r\nEND:VTODO"
    ),
    [
      { title: "a", due: { dateTime: "2024-09-02T10:00:00", timeZone: "UTC" } },
      { title: "b", due: { dateTime: "2024-09-02T10:00:00", timeZone: "Europe/Paris" } }
    ]
  ],
  [
    "a zone that only the file knows",
    "ics",
    calendar(
      "BEGIN:VTIMEZONE",
      "TZID:Office",
      "BEGIN:STANDARD",
      "DTSTART:19700101T000000",
      "TZOFFSETFROM:+0200",
      "TZOFFSETTO:+0200",
      "END:STANDARD",
      "END:VTIMEZONE",
      "BEGIN:VTODO",
      "SUMMARY:a",
      "DUE;TZID=Office:20240902T100000",
      "END:VTODO"
    ),
    [{ title: "a", due: { dateTime: "2024-09-02T08:00:00", timeZone: "UTC" } }],
    "line 12: the time zone of DUE is not in the IANA database: the same time is imported in UTC"
  ],
  [
    "what we have no place for",
    "ics",
    calendar(
      "X-WR-CALNAME:Home",
      "BEGIN:VEVENT",
      "SUMMARY:party",
      "END:VEVENT",
      "BEGIN:VTODO",
      "SUMMARY:a",
      "LOCATION:there",
      "RRULE:FREQ=DAILY",
      "STATUS:IN-PROCESS",
      "PERCENT-COMPLETE:50",
      "BEGIN:VALARM",
      "TRIGGER:-PT5M",
      "END:VALARM",
      "END:VTODO",
      "BEGIN:VTODO",
      "SUMMARY:b",
      "LOCATION:here",
      "STATUS:CANCELLED",
      "END:VTODO"
    ),
    titled("a", "b"),
    "line 4: X-WR-CALNAME is left out",
    "line 5: VEVENT is left out",
    "line 8: LOCATION is left out (and on 1 more)",
    "line 8: RRULE is left out",
    "line 8: VALARM is left out",
    "line 8: STATUS IN-PROCESS is imported as open",
    "line 8: PERCENT-COMPLETE is left out",
    "line 18: STATUS CANCELLED is imported as open"
  ],
  [
    "done without a status, and lines of Unix",
    "ics",
    "\uFEFFBEGIN:VCALENDAR\nBEGIN:VTODO\nSUMMARY:a\nCOMPLETED:20240903T101112Z\nEND:VTODO\nBEGIN:VTODO\nSUMMARY:b\nPERCENT-COMPLETE:100\nEND:VTODO\nEND:VCALENDAR",
    [
      { title: "a", completed: true, completedAt: "2024-09-03T10:11:12.000Z" },
      { title: "b", completed: true }
    ]
  ],
  [
    "a todo and another one of its series",
    "ics",
    vtodo("UID:019ab2c3-0000-7000-8000-00000000000f").replace(
      "END:VTODO",
      "END:VTODO\r\nBEGIN:VTODO\r\nUID:019ab2c3-0000-7000-8000-00000000000f\r\nRECURRENCE-ID:20240902T100000Z\r\nSUMMARY:b\r\nEND:VTODO"
    ),
    titled("a", "b")
  ],
  ["no todo at all", "ics", calendar(), []]
]

const told: ReadonlyArray<
  readonly [what: string, format: Format | "any", file: string | Uint8Array, ...problems: ReadonlyArray<RegExp>]
> = [
  ["0 bytes", "any", "", /^line 1: the file is empty$/],
  ["blank lines alone", "any", "\uFEFF\n \r\n\r\t\n", /^line 1: the file is empty$/],
  [
    "UTF-16 LE",
    "any",
    Buffer.concat([Buffer.of(0xff, 0xfe), le("title\na\n")]),
    /^line 1: the file is in UTF-16 LE: save it as UTF-8$/
  ],
  ["UTF-16 BE", "any", Buffer.concat([Buffer.of(0xfe, 0xff), be("title\na\n")]), /^line 1: the file is in UTF-16 BE/],
  ["UTF-16 without a mark", "any", le("title\na\n"), /^line 1: the file is in UTF-16 or not text/],
  ["UTF-16 BE without a mark", "any", be("title\na\n"), /^line 1: the file is in UTF-16 or not text/],
  ["UTF-32", "any", Buffer.of(0xff, 0xfe, 0, 0, 0x61, 0, 0, 0), /^line 1: the file is in UTF-32 LE/],
  ["gzip", "any", Buffer.of(0x1f, 0x8b, 8, 0), /^line 1: the file is compressed/],
  ["a spreadsheet", "any", "PK\u0003\u0004", /^line 1: the file is a spreadsheet/],
  [
    "bytes that are not UTF-8",
    "csv",
    Buffer.from("title\na\ncaf\u00E9\nb\n", "latin1"),
    /^line 3: the file is not UTF-8 from this line on/
  ],
  [
    "half a character",
    "csv",
    Buffer.from("title\na\ncaf\u00E9").subarray(0, -1),
    /^line 3: the file is not UTF-8 from this line on/
  ],
  ["bytes that are not UTF-8", "txt", Buffer.from("a\ncaf\u00E9\nb\n", "latin1"), /^line 2: the line is not UTF-8/],
  [
    "bytes that are not UTF-8",
    "ics",
    Buffer.from(vtodo("LOCATION:caf\u00E9"), "latin1"),
    /^line 6: the line is not UTF-8/
  ],
  ["long lines", "txt", `a\n${"x".repeat(70_000)}\nb`, /^line 2: .*too long/],
  ["long rows", "csv", `title\n"${"x".repeat(70_000)}`, /^line 2: the row is longer than any todo/],
  ["zero bytes", "txt", "abc\na\u0000b\n", /^line 2: title must not contain U\+0000/],
  ["zero bytes", "csv", "title\na\u0000b\n", /^line 2: title must not contain U\+0000/],
  ["unknown columns", "csv", "title,colour\na,red\n", /^line 1: unknown column: colour; the first line/],
  ["columns twice", "csv", "title,Title\na,b\n", /^line 1: duplicate column: title/],
  ["no title", "csv", "due\n2024-01-01\n", /^line 1: title is missing/],
  [
    "cells without a column",
    "csv",
    "title,\na,\nb,c\nd,,\n",
    /^line 3: a cell has a value but its column has no name/,
    /^line 4: 3 cells under 2 columns$/
  ],
  ["text behind a quote", "csv", 'title\n"a" \n"a"b\n', /^line 3: there is text after a closing quote/],
  ["completed as nobody reads it", "csv", "title,completed\na,maybe\n", /^line 2: completed must be one of true/],
  [
    "completedAt of what is not completed",
    "csv",
    "title,completed,completedAt\na,no,2024-09-02T10:00:00Z\n",
    /^line 2: .*completedAt/
  ],
  ["a zone without a due", "csv", "title,timeZone\na,Europe/Paris\n", /^line 2: timeZone needs a due/],
  [
    "priorities as numbers and letters",
    "csv",
    "title,priority\na,1\nb,A\n",
    /^line 2: priority must be one of none, low, medium, high$/,
    /^line 3: priority must be one of/
  ],
  [
    "dates as Excel writes them",
    "csv",
    "title,due,createdAt\na,12/1/2024,\nb,1.12.2024,\nc,45627,\nd,,2024-12-01 10:00\n",
    /^line 2: due\/date must be a date, YYYY-MM-DD/,
    /^line 3: due/,
    /^line 4: due/,
    /^line 5: createdAt must be a time with an offset/
  ],
  ["another kind of file", "ics", "title\na\n", /^line 1: this is not a calendar/],
  ["half a calendar", "ics", vtodo().slice(0, -30), /^line 4: the file ends before/],
  ["a calendar without its end", "ics", vtodo().replace("END:VCALENDAR", ""), /^line 1: the file ends before/],
  [
    "a todo without a title",
    "ics",
    vtodo().replace("SUMMARY:a", "LOCATION:b"),
    /^line 4: title must be a string of 1 to 500 characters$/
  ],
  [
    "a zone that nobody knows",
    "ics",
    vtodo("DUE;TZID=Office:20240902T100000"),
    /^line 4: the time zone of DUE must be in the IANA database/
  ],
  ["a date that is none", "ics", vtodo("DUE:tomorrow"), /^line 4: /],
  ["a priority that is none", "ics", vtodo("PRIORITY:high"), /^line 4: PRIORITY must be a digit/],
  ["a line that is none", "ics", vtodo("nonsense"), /^line 4: /],
  ["no JSON", "ndjson", "title\na\n", /^line 1: the line must be JSON$/]
]

layer(TestDatabase.layer, { excludeTestServices: true })((it) => {
  describe("The content of a file is imported", () => {
    for (const [what, format, file, todos, ...notes] of used) {
      it.effect(`a file of ${format} is imported: ${what}`, () =>
        Effect.gen(function* () {
          const found = yield* imported(format, file, 1)
          assert.deepStrictEqual(found.problems, undefined)
          assert.deepStrictEqual(
            found.items?.map(({ title }) => title),
            todos.map(({ title }) => title)
          )
          for (const [n, todo] of todos.entries()) {
            const item = found.items?.[n]
            // A time that the file does not have is the time of the import.
            const { completedAt = todo.completed === true ? item?.completedAt : null, ...rest } = todo
            assert.deepInclude(item, { ...plain, ...rest, completedAt: completedAt ?? null })
          }
          assert.deepStrictEqual(found.notes, notes)
        })
      )
    }
  })

  describe("Content that cannot be imported is reported by line", () => {
    for (const [what, format, file, ...problems] of told) {
      it.effect(`a problem of ${format} is reported by line: ${what}`, () =>
        Effect.gen(function* () {
          for (const one of format === "any" ? (["csv", "ics", "ndjson", "txt"] as const) : [format]) {
            const found = (yield* imported(one, file, 4_096)).problems ?? []
            for (const [n, problem] of problems.entries()) assert.match(found[n] ?? "", problem, one)
            assert.strictEqual(found.length, problems.length, found.join("\n"))
          }
        })
      )
    }
  })
})
