import { execFile } from "node:child_process"
import { access, mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { promisify } from "node:util"
import { assert, describe, layer } from "@effect/vitest"
import { Lists, Todos } from "@todo/core"
import { TestDatabase } from "@todo/core/testing"
import { Effect } from "effect"
import {
  add,
  admin,
  assertFailed,
  asUser,
  environment,
  json,
  newUser,
  sql,
  start,
  atMostThree,
  temporaryDirectory
} from "../support/program.ts"

const execute = promisify(execFile)

const read = (path: string) => Effect.promise(() => readFile(path, "utf8"))

/** A user with all kinds of rows. */
const someone = Effect.gen(function* () {
  const user = newUser()
  yield* asUser(
    user,
    Effect.gen(function* () {
      const lists = yield* Lists
      const todos = yield* Todos
      const { id: listId } = yield* lists.create({ name: "=Errands, \u201Cmore\u201D" })
      yield* todos.create({
        title: 'Buy "milk"; oat, not soy \\ 日本語 😀 '.repeat(4).trim(),
        listId,
        tags: ["a,b", "c\\d", "-e"],
        due: { dateTime: "2026-07-01T09:00:00", timeZone: "Europe/Paris" },
        priority: "high"
      })
      const due = { date: "2026-12-02" }
      yield* todos.create({ title: "=1+1", description: "two\r\nlines\u0007", due, completed: true, priority: "low" })
      yield* todos.create({ title: "'=quoted", priority: "medium" })
      yield* todos.create({ title: "far", due: { dateTime: "9999-12-31T23:30:00", timeZone: "America/New_York" } })
      yield* todos.delete((yield* todos.create({ title: "in the trash" })).id)
    })
  )
  return user
})

layer(TestDatabase.layer, { excludeTestServices: true })("where todos are read slowly", (it) => {
  it.effect("an interrupted export leaves no temporary file", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory()
      const user = yield* someone
      const path = join(directory, "user.ndjson")
      const given = yield* environment
      const files = Effect.promise(() => readdir(directory))
      const stopped = Effect.forEach(["SIGINT", "SIGTERM"] as const, (signal) =>
        Effect.gen(function* () {
          const { child, ended } = start(["user", "export", user, "--output", path], given)
          yield* Effect.sleep("10 millis").pipe(
            Effect.andThen(files),
            Effect.repeat({ while: (found) => found.length === 0 })
          )
          child.kill(signal)
          assert.deepInclude(yield* Effect.promise(() => ended), { code: 130, stdout: "" }, signal)
          assert.deepStrictEqual(yield* files, [])
        })
      )
      yield* sql(
        (yield* TestDatabase).adminUrl,
        `create policy slow on todo.todos as restrictive for select
using (case when current_query() like '%todo_json%' then pg_sleep(60) is not null else true end)`
      )
      yield* stopped
    })
  )
})

layer(TestDatabase.layer, { excludeTestServices: true })((it) => {
  describe.concurrent("todo-admin user export", () => {
    it.effect("an export has the same lines on stdout and in a file, and prints a summary to stderr", () =>
      Effect.gen(function* () {
        const directory = yield* temporaryDirectory()
        const user = yield* someone
        const path = join(directory, "user.ndjson")
        const [plain, quiet, report] = yield* atMostThree(
          admin("user", "export", user),
          admin("user", "export", user, "--quiet"),
          json<object>("user", "export", user, "--output", path)
        )
        assert.deepStrictEqual([plain.code, plain.stderr], [0, `Exported 1 list and 5 todos of ${user}\n`])
        assert.deepStrictEqual([quiet.code, quiet.stderr], [0, ""])
        assert.deepStrictEqual(report, { user, format: "ndjson", file: path, lists: 1, todos: 5 })
        assert.match(plain.stdout, /^\{"format":"todo-export","version":1,.*\n.*\{"end":\{"lists":1,"todos":5\}\}\n$/s)
        assert.include(plain.stdout, '"title":"in the trash"')
        assert.strictEqual(quiet.stdout, plain.stdout)
        assert.strictEqual(yield* read(path), plain.stdout)
        assert.strictEqual((yield* Effect.promise(() => stat(path))).mode & 0o777, 0o600)
      })
    )

    it.effect("an export of an unknown user exits with 3, keeps the older file, and leaves no other file", () =>
      Effect.gen(function* () {
        const directory = yield* temporaryDirectory()
        const path = join(directory, "user.ndjson")
        yield* Effect.promise(() => writeFile(path, "older"))
        assertFailed(yield* admin("user", "export", newUser(), "--output", path), 3, /no such user/)
        assert.strictEqual(yield* read(path), "older")
        assert.deepStrictEqual(yield* Effect.promise(() => readdir(directory)), ["user.ndjson"])
      })
    )

    it.effect("an export into a missing folder exits with 1, and does not create the folder", () =>
      Effect.gen(function* () {
        const directory = yield* temporaryDirectory()
        const user = newUser()
        yield* add(user, "Buy milk")
        const made = yield* admin("user", "export", user, "--output", join(directory, "none", "file"))
        assertFailed(made, 1, /ENOENT: no such file or directory/)
        assert.deepStrictEqual(yield* Effect.promise(() => readdir(directory)), [])
      })
    )

    it.effect("an export to /dev/null succeeds, and does not replace the device", () =>
      Effect.gen(function* () {
        const user = newUser()
        yield* add(user, "Buy milk")
        assert.deepInclude(yield* admin("user", "export", user, "--output", "/dev/null"), { code: 0 })
        assert.isTrue((yield* Effect.promise(() => stat("/dev/null"))).isCharacterDevice())
      })
    )

    it.effect("an export as CSV runs no formula in a spreadsheet, and can be imported unchanged", () =>
      Effect.gen(function* () {
        const directory = yield* temporaryDirectory()
        const user = yield* someone
        const path = join(directory, "user.csv")
        const [one, two] = yield* atMostThree(
          admin("user", "export", user, "--format", "csv", "--quiet"),
          admin("user", "export", user, "--format", "csv", "--output", path)
        )
        assert.strictEqual(two.stdout, `Exported 4 todos of ${user} to ${path}\n`)
        assert.strictEqual(yield* read(path), one.stdout)
        const [names, ...rows] = one.stdout.split("\r\n")
        assert.strictEqual(
          names,
          "id,title,description,completed,completedAt,priority,due,timeZone,tags,list,createdAt,updatedAt"
        )
        assert.match(rows.join("\n"), /,"Buy ""milk""; oat/)
        assert.match(rows.join("\n"), /,"'=Errands, \u201Cmore\u201D",/)
        assert.include(one.stdout, ',\'=1+1,"two\r\nlines\u0007",true,')
        assert.match(one.stdout, /,''=quoted,/)
        assert.notInclude(one.stdout, "in the trash")

        const other = newUser()
        yield* json("user", "import", other, path, "--format", "csv")
        const titles = (user: string) =>
          asUser(
            user,
            Effect.map(
              Effect.flatMap(Todos, ({ list }) => list({ sort: "createdAt" })),
              ({ items }) =>
                items.map(({ completed, completedAt, createdAt, description, due, id, priority, tags, title }) => ({
                  completed,
                  completedAt,
                  createdAt,
                  description,
                  due,
                  id,
                  priority,
                  tags,
                  title
                }))
            )
          )
        assert.deepStrictEqual(yield* titles(other), yield* titles(user))
      })
    )

    it.effect("an export as todo.txt or a calendar can be imported, and reports the content that it leaves out", () =>
      Effect.gen(function* () {
        const directory = yield* temporaryDirectory()
        const user = newUser()
        yield* asUser(
          user,
          Effect.gen(function* () {
            const todos = yield* Todos
            const { id: listId } = yield* (yield* Lists).create({ name: "My errands" })
            const due = { date: "2026-12-02" }
            yield* todos.create({ title: "x men", listId, tags: ["a", "b c"], due, priority: "low" })
            yield* todos.create({ title: "(B) plan\r\nb", description: "more", completed: true, priority: "high" })
            yield* todos.create({ title: "c", due: { dateTime: "2026-07-01T09:00:00", timeZone: "Europe/Paris" } })
          })
        )
        const [text, ics] = [join(directory, "todo.txt"), join(directory, "todo.ics")]
        const [shown, report] = yield* atMostThree(
          admin("user", "export", user, "--format", "todotxt"),
          json<{ leftOut: ReadonlyArray<object> }>("user", "export", user, "--format", "todotxt", "-o", text),
          admin("user", "export", user, "--format", "ics", "-o", ics)
        )
        const lines = shown.stdout.replaceAll(/\d{4}-\d\d-\d\d(?= )/g, "DAY").split("\n")
        assert.deepStrictEqual(lines, [
          "(C) DAY x men +My_errands @a @b_c due:2026-12-02",
          "x DAY DAY (B) plan b pri:A",
          "DAY c due:2026-07-01",
          ""
        ])
        const told = [
          [1, "white space in a tag or in the name of a list becomes an underscore", 2],
          [2, "the description is left out", 1],
          [2, "line breaks in the title become spaces", 1],
          [3, "the time of the due date is left out", 1]
        ].map(([line, message, count]) => ({ line, message, count }))
        assert.deepStrictEqual(report.leftOut, told)
        assert.match(
          shown.stderr,
          /^line 1: white space [^\n]+ \(and on 1 more\)\nline 2: the description [^\n]+\nline 2: /
        )
        assert.strictEqual(yield* read(text), shown.stdout)

        const [fromText, fromIcs] = [newUser(), newUser()]
        yield* atMostThree(
          json("user", "import", fromText, text, "--format", "todotxt"),
          json("user", "import", fromIcs, ics, "--format", "ics")
        )
        const again = yield* json<{ todos: object }>("user", "import", fromIcs, ics, "--format", "ics")
        assert.deepInclude(again.todos, { added: 0, same: 3 })
        const found = (user: string) =>
          asUser(
            user,
            Effect.map(
              Effect.flatMap(Todos, ({ list }) => list({})),
              ({ items }) =>
                items.map(({ completed, due, priority, tags, title }) => [title, completed, priority, tags, due])
            )
          )
        assert.deepStrictEqual(yield* found(fromText), [
          ["x men", false, "low", ["My_errands", "a", "b_c"], { date: "2026-12-02" }],
          ["(B) plan b", true, "high", [], null],
          ["c", false, "none", [], { date: "2026-07-01" }]
        ])
        assert.deepStrictEqual(yield* found(fromIcs), [
          ["x men", false, "low", ["a", "b c"], { date: "2026-12-02" }],
          ["(B) plan\nb", true, "high", [], null],
          ["c", false, "none", [], { dateTime: "2026-07-01T07:00:00", timeZone: "UTC" }]
        ])
      })
    )

    it.effect("an exported calendar can be read by other programs, and has the same bytes each time", (ctx) =>
      Effect.gen(function* () {
        const directory = yield* temporaryDirectory()
        const user = yield* someone
        const [one, two] = yield* atMostThree(
          admin("user", "export", user, "--format", "ics", "--quiet"),
          admin("user", "export", user, "--format", "ics", "--quiet")
        )
        assert.strictEqual(one.code, 0)
        assert.strictEqual(two.stdout, one.stdout)
        const lines = one.stdout.split("\r\n")
        assert.isAtMost(Math.max(...lines.map((line) => Buffer.byteLength(line))), 75)
        assert.notMatch(one.stdout, /[^\r]\n|[\p{Cc}--[\r\n]]/v)
        for (const line of ["PRIORITY:1", "DUE:20260701T070000Z", "DUE;VALUE=DATE:20261202", "STATUS:COMPLETED"]) {
          assert.include(lines, line)
        }
        assert.include(lines, "CATEGORIES:a\\,b,c\\\\d,-e")
        assert.include(lines, "DUE:99991231T233000")

        if (
          yield* Effect.promise(() =>
            access("/usr/bin/todoman").then(
              () => false,
              () => true
            )
          )
        ) {
          console.warn(
            "SKIPPED: todoman is not installed (apt-get install todoman): no other program has read the calendar"
          )
          return ctx.skip()
        }
        // This program needs one file for each todo.
        const todos = one.stdout.match(/BEGIN:VTODO.*?END:VTODO\r\n/gs) ?? []
        yield* Effect.promise(async () => {
          await mkdir(join(directory, "all"))
          for (const [n, todo] of todos.entries()) {
            const file = `BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n${todo}END:VCALENDAR\r\n`
            await writeFile(join(directory, "all", `${n}.ics`), file)
          }
          await writeFile(
            join(directory, "config.py"),
            `path = "${directory}/all"\ncache_path = "${directory}/cache"\ndate_format = "%Y-%m-%d"\ntime_format = "%H:%M"\n`
          )
        })
        const { stdout } = yield* Effect.promise(() =>
          execute(
            "/usr/bin/todoman",
            ["--config", join(directory, "config.py"), "--porcelain", "list", "--status", "ANY"],
            {
              env: { PATH: "/usr/bin:/bin", TZ: "UTC", LC_ALL: "C.UTF-8", HOME: directory }
            }
          )
        )
        const seen = (JSON.parse(stdout) as ReadonlyArray<Record<string, unknown>>).map(
          ({ completed, due, priority, summary }) => ({
            completed,
            due,
            priority,
            summary
          })
        )
        const at = (time: string) => Date.parse(time) / 1_000
        assert.sameDeepMembers(seen, [
          {
            completed: false,
            due: at("2026-07-01T07:00:00Z"),
            priority: 1,
            summary: 'Buy "milk"; oat, not soy \\ 日本語 😀 '.repeat(4).trim()
          },
          { completed: true, due: at("2026-12-02T00:00:00Z"), priority: 9, summary: "=1+1" },
          { completed: false, due: null, priority: 5, summary: "'=quoted" },
          { completed: false, due: at("9999-12-31T23:30:00Z"), priority: 0, summary: "far" }
        ])
      })
    )
  })
})
