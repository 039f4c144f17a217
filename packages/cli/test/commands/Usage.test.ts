import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import pkg from "../../package.json" with { type: "json" }
import { assertFailed, run, atMostThree } from "../support/program.ts"

const uuid = "019ab2c3-0000-7000-8000-000000000000"
const elsewhere = { DATABASE_URL: "postgres://nobody:hunter2@127.0.0.1:1/nowhere" }

describe.concurrent("todo-admin", () => {
  it.live("todo-admin prints help with examples, and its version, on stdout", () =>
    Effect.gen(function* () {
      const [bare, help, verb, version, completions] = yield* atMostThree(
        run([]),
        run(["--help"]),
        run(["todo", "add", "--help"]),
        run(["--version"]),
        run(["--completions", "bash"])
      )
      for (const { code, stderr } of [bare, help, verb, version, completions]) {
        assert.deepStrictEqual({ code, stderr }, { code: 0, stderr: "" })
      }
      assert.match(
        help.stdout,
        /todo {2,}.*\n.*list {2,}.*\n.*changes {2,}.*\n.*user {2,}.*\n.*purge {2,}.*\n.*stats {2,}.*\n.*migrate {2,}.*\n.*doctor {2,}.*\n.*token {2,}/
      )
      assert.match(help.stdout, /0 done, 1 failed, 2 usage, 3 not found/)
      assert.strictEqual(bare.stdout, help.stdout)
      assert.match(verb.stdout, /EXAMPLES\n {2}todo-admin todo add --user alice "Buy milk"/)
      assert.strictEqual(version.stdout, `${pkg.version}\n`)
      assert.match(completions.stdout, /complete .*todo-admin/)
    })
  )

  const mistakes: ReadonlyArray<readonly [what: string, args: ReadonlyArray<string>, line: RegExp]> = [
    ["an unknown noun", ["todos"], /"todos".*did you mean todo/],
    ["an unknown verb", ["todo", "lst", "--user", "a"], /"lst".*did you mean list; see "todo-admin todo --help"/],
    ["a noun without a verb", ["migrate"], /migrate needs a verb: one of plan, grants, status, up/],
    ["an unknown flag", ["doctor", "--fix"], /--fix/],
    ["no user", ["todo", "list"], /--user/],
    [
      "a user that no token can name",
      ["todo", "list", "--user", "a\u0007"],
      /: --user must not contain control characters;/
    ],
    ["an id that is none", ["todo", "show", "--user", "a", "42"], /: <id> must be a UUID;/],
    ["no title", ["todo", "add", "--user", "a"], /title/],
    [
      "a limit out of range",
      ["todo", "list", "--user", "a", "--limit", "201"],
      /: --limit must be a whole number from 1 to 200;/
    ],
    [
      "an order that is none",
      ["todo", "list", "--user", "a", "--sort", "colour"],
      /: --sort must be one of position, createdAt, /
    ],
    ["flags that exclude each other", ["todo", "list", "--user", "a", "--open", "--completed"], /cannot be combined/],
    [
      "a day that does not exist",
      ["todo", "add", "--user", "a", "x", "--due", "2026-02-30"],
      /: --due must be a date like/
    ],
    ["a zone that does not exist", ["todo", "add", "-u", "a", "x", "--due", "2026-02-03T09:00@Mars"], /--due/],
    ["an edit of nothing", ["todo", "edit", "--user", "a", uuid], /no change is given/],
    ["given and cleared", ["todo", "edit", "-u", "a", uuid, "--tag", "b", "--clear-tags"], /tags cannot be both/],
    ["a move to nowhere", ["todo", "move", "-u", "a", uuid], /either --before or --after/],
    ["two places", ["list", "move", "-u", "a", uuid, "--before", uuid, "--after", uuid], /either --before or --after/],
    ["a limit that is no number", ["todo", "list", "-u", "a", "--limit", "x"], /: --limit must be a whole number/],
    ["a limit without a number", ["todo", "list", "-u", "a", "--limit"], /: --limit needs a value/],
    [
      "a priority that is none",
      ["todo", "list", "-u", "a", "--priority", "x"],
      /: --priority must be one of none, low/
    ],
    ["a list that is none", ["todo", "list", "-u", "a", "--list", "x"], /: --list must be a UUID/],
    ["a value of a mark", ["todo", "delete", "-u", "a", uuid, "--yes=3"], /: --yes must be one of true, yes/],
    ["a flag given twice", ["todo", "list", "-u", "a", "-u", "b"], /: --user takes at most 1 value;/],
    [
      "no such fate",
      ["list", "delete", "-u", "a", uuid, "--yes", "--todos", "burn"],
      /: --todos must be one of trash, keep;/
    ],
    ["a deletion that nobody confirms", ["todo", "delete", "--user", "a", uuid], /--yes/],
    ["an export to an empty name", ["user", "export", "a", "--output", ""], /--output.*the name of a file/],
    ["a format that is none", ["user", "export", "a", "--format", "vcard"], /--format/],
    ["an import of an empty name", ["user", "import", "a", ""], /file/],
    [
      "a merge of a todo.txt",
      ["user", "import", "a", "todo.txt", "--format", "todotxt", "--merge"],
      /--merge is only for ndjson/
    ],
    [
      "an import for a user that no token can name",
      ["user", "import", "a\u0007", "file"],
      /the id must have 1 to 255 characters/
    ],
    ["a purge without an age", ["purge", "--yes"], /--older-than/],
    ["a time without a unit", ["token", "--user", "a", "--expires", "60"], /--expires.*30m/]
  ]
  for (const [what, args, line] of mistakes) {
    it.live(`todo-admin exits with 2 and one line on stderr: ${what}`, () =>
      Effect.map(run(args, elsewhere), (made) => assertFailed(made, 2, line))
    )
  }

  it.live("todo-admin exits with 5 if the database is unreachable", () =>
    Effect.gen(function* () {
      const [list, up, doctor] = yield* atMostThree(
        run(["todo", "list", "--user", "a"], elsewhere),
        run(["migrate", "up"], elsewhere),
        run(["doctor"], elsewhere)
      )
      assertFailed(list, 5, /cannot be reached.*todo-admin doctor/)
      assertFailed(up, 5, /cannot be reached/)
      // `doctor` names the cause instead.
      assert.strictEqual(doctor.code, 6)
      assert.match(doctor.stdout, /failed +connection: .*127\.0\.0\.1:1.*\n +hint: start the database/)
      for (const { stderr, stdout } of [list, up, doctor]) assert.notMatch(stdout + stderr, /hunter2/)
    })
  )

  it.live("an invalid setting is named in one line, and never its value", () =>
    Effect.gen(function* () {
      const [url, mode, password, secret, schema, debug] = yield* atMostThree(
        run(["todo", "list", "--user", "a"], { DATABASE_URL: "mysql://root:hunter2@db/x" }),
        run(["migrate", "up"], {
          DATABASE_URL: "postgres://root:hunter2@db/x",
          TODO_MIGRATE_URL: "postgres://root:hunter2@db/x?sslmode=hunter2"
        }),
        run(["user", "list"], { DATABASE_URL: "postgres://root:100%hunter2@db/x" }),
        run(["token", "--user", "a"], { TODO_JWT_SECRET: "hunter2" }),
        run(["migrate", "plan"], { TODO_SCHEMA: "pg_todo" }),
        run(["token", "--user", "a", "--debug"], { TODO_JWT_SECRET: "hunter2" })
      )
      assertFailed(url, 1, /DATABASE_URL: must be like postgres:/)
      assertFailed(mode, 1, /TODO_MIGRATE_URL: sslmode: must be one of disable, allow, prefer/)
      assertFailed(password, 1, /DATABASE_URL: password: write % as %25/)
      assertFailed(secret, 1, /TODO_JWT_SECRET: must be a secret of at least 32 bytes/)
      assertFailed(schema, 1, /TODO_SCHEMA/)
      assert.match(debug.stderr, /\n.*ConfigError/s)
      for (const { stderr } of [url, mode, password, secret, debug]) assert.notMatch(stderr, /hunter2/)
    })
  )
})
