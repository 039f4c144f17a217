import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { assert, describe, layer } from "@effect/vitest"
import { Todos } from "@todo/core"
import { TestDatabase } from "@todo/core/testing"
import { Effect } from "effect"
import {
  admin,
  assertFailed,
  asUser,
  json,
  newUser,
  start,
  environment,
  atMostThree,
  temporaryDirectory
} from "../support/program.ts"

/** A file that is removed after the test. */
const file = Effect.fnUntraced(function* (text: string) {
  const path = join(yield* temporaryDirectory(), "file")
  yield* Effect.promise(() => writeFile(path, text))
  return path
})

const titles = (user: string) =>
  asUser(
    user,
    Effect.map(
      Effect.flatMap(Todos, ({ list }) => list({})),
      ({ items }) => items.map(({ title }) => title)
    )
  )

const exported = Effect.gen(function* () {
  const user = newUser()
  yield* asUser(
    user,
    Effect.gen(function* () {
      const { create } = yield* Todos
      yield* create({ title: "a" })
      yield* create({ title: "b" })
    })
  )
  return { user, text: (yield* admin("user", "export", user)).stdout }
})

const none = { added: 0, replaced: 0, kept: 0, same: 0 }

layer(TestDatabase.layer, { excludeTestServices: true })((it) => {
  describe.concurrent("todo-admin user import", () => {
    it.effect("an import takes a file for its user or another one, also from stdin, and prints the result", () =>
      Effect.gen(function* () {
        const { text, user } = yield* exported
        const path = yield* file(text)
        const [other, third] = [newUser(), newUser()]
        const [same, dry] = yield* atMostThree(
          admin("user", "import", path),
          admin("user", "import", other, path, "--dry-run")
        )
        assert.deepStrictEqual(
          [same.code, same.stderr],
          [0, "Nothing was changed: the user has all rows of the file already\n"]
        )
        assert.match(same.stdout, /ADDED +REPLACED +KEPT +UNCHANGED\nlists +0 +0 +0 +0\ntodos +0 +0 +0 +2\n$/)
        assert.deepStrictEqual([dry.code, dry.stderr], [0, "Nothing was changed: this was a dry run\n"])
        assert.match(dry.stdout, /\ntodos +2 +0 +0 +0\n$/)
        assert.deepStrictEqual(yield* titles(other), [])

        const report = yield* json<object>("user", "import", other, path)
        const outcome = { lists: none, todos: { ...none, added: 2 }, takenOut: 0, differing: [], dryRun: false }
        assert.deepStrictEqual(report, { user: other, revision: 2, ...outcome })
        assert.strictEqual((yield* admin("user", "export", other)).stdout, text.replace(user, other))

        const piped = start(["user", "import", third, "-", "--json"], yield* environment, text)
        assert.deepInclude(JSON.parse((yield* Effect.promise(() => piped.ended)).stdout), { user: third, revision: 2 })
        assert.deepStrictEqual(yield* titles(third), ["a", "b"])
      })
    )

    it.effect("an import exits with 4 if the user has different data, and merges with --merge", () =>
      Effect.gen(function* () {
        const { text, user } = yield* exported
        const path = yield* file(text)
        yield* asUser(
          user,
          Effect.gen(function* () {
            const { list, update } = yield* Todos
            const [a] = (yield* list({})).items
            if (a !== undefined) yield* update(a.id, { title: "A" })
          })
        )
        const refused = yield* admin("user", "import", path)
        assert.deepStrictEqual([refused.code, refused.stdout], [4, ""])
        assert.match(
          refused.stderr,
          /^line 2: todo \S+ is different in the database\ntodo-admin: nothing was imported: the user has data, and 1 line of the file is not part of it; add --merge[^\n]+\n$/
        )
        const document = yield* admin("user", "import", path, "--json")
        assert.strictEqual(document.code, 4)
        assert.match(document.stderr, /^todo-admin: nothing was imported: [^\n]+; add --merge[^\n]+\n$/)
        const [message] = /(?<=^line 2: ).+/.exec(refused.stderr) ?? []
        assert.deepStrictEqual(JSON.parse(document.stdout), { problems: [{ line: 2, message }], count: 1 })
        const merged = yield* admin("user", "import", path, "--merge")
        assert.strictEqual(merged.code, 0)
        assert.match(merged.stdout, /\ntodos +0 +0 +1 +1\nline 2: todo \S+ differs; the row in the database is kept\n$/)
        assert.strictEqual(
          merged.stderr,
          "Nothing was changed: rows that differ are later in the database than in the file, or as late\n"
        )
        assert.deepStrictEqual(yield* titles(user), ["A", "b"])
      })
    )

    it.effect("an import of a file that was cut off exits with 2, and changes nothing", () =>
      Effect.gen(function* () {
        const { text } = yield* exported
        const other = newUser()
        const made = yield* admin("user", "import", other, yield* file(text.slice(0, -10)))
        assert.deepStrictEqual([made.code, made.stdout], [2, ""])
        assert.match(made.stderr, /^line 4: the line must be JSON\nline 4: the file was cut off[^\n]+\ntodo-admin: /)
        assert.deepStrictEqual(yield* titles(other), [])
      })
    )

    it.effect("an import names the first 20 invalid lines and counts all of them, as lines and as JSON", () =>
      Effect.gen(function* () {
        const { text } = yield* exported
        const path = yield* file(`${text.split("\n")[0]}\n${"{}\n".repeat(100)}`)
        const [wrong, document] = yield* atMostThree(
          admin("user", "import", newUser(), path),
          admin("user", "import", newUser(), path, "--json")
        )
        assert.deepStrictEqual([wrong.code, wrong.stdout], [2, ""])
        assert.match(wrong.stderr, /^(line \d+: [^\n]+\n){20}and 81 more\ntodo-admin: nothing was imported[^\n]+\n$/)
        assert.deepStrictEqual([document.code, document.stderr.split("\n").length], [2, 2])
        assert.match(document.stderr, /^todo-admin: nothing was imported: 101 lines of the file are not valid\n$/)
        const { count, problems } = JSON.parse(document.stdout)
        assert.strictEqual(count, 101)
        assert.deepStrictEqual(
          problems.map(({ line, message }: { line: number; message: string }) => `line ${line}: ${message}`),
          wrong.stderr.split("\n").slice(0, 20)
        )
      })
    )

    it.effect("an import of a CSV without the id of a user exits with 2", () =>
      Effect.gen(function* () {
        const made = yield* admin("user", "import", yield* file("title\n"), "--format", "csv")
        assertFailed(made, 2, /--format csv needs the id of a user/)
      })
    )

    it.effect("an import of a missing file exits with 1", () =>
      Effect.gen(function* () {
        const path = join(yield* temporaryDirectory(), "none")
        assertFailed(yield* admin("user", "import", newUser(), path), 1, /ENOENT: no such file/)
      })
    )

    it.effect("an import takes a todo.txt, and a second import changes nothing", () =>
      Effect.gen(function* () {
        const user = newUser()
        const path = yield* file(
          "(A) 2026-01-01 Call Mom +Family @phone due:2026-12-01\r\nx 2026-02-02 2026-01-01 done it pri:B\n\nBuy milk\nBuy milk\n(c) no priority due:soon"
        )
        const first = yield* json<object>("user", "import", user, path, "--format", "todotxt")
        assert.deepInclude(first, { revision: 5, todos: { ...none, added: 5 } })
        const again = yield* json<object>("user", "import", user, path, "--format", "todotxt")
        assert.deepInclude(again, { revision: 5, todos: { ...none, same: 5 } })
        const { items } = yield* asUser(
          user,
          Effect.flatMap(Todos, ({ list }) => list({}))
        )
        const plain = { completed: false, completedAt: null, due: null, priority: "none", tags: [] }
        const expected = [
          {
            ...plain,
            title: "Call Mom",
            priority: "high",
            tags: ["Family", "phone"],
            due: { date: "2026-12-01" },
            createdAt: "2026-01-01T00:00:00.000Z"
          },
          { ...plain, title: "done it", priority: "medium", completed: true, completedAt: "2026-02-02T00:00:00.000Z" },
          { ...plain, title: "Buy milk" },
          { ...plain, title: "Buy milk" },
          { ...plain, title: "(c) no priority due:soon" }
        ]
        for (const [n, todo] of expected.entries()) assert.deepInclude(items[n] as object, todo)
      })
    )

    it.effect("an import reports the content that it leaves out, and an empty file", () =>
      Effect.gen(function* () {
        const user = newUser()
        const csv = yield* file("title,list,updatedAt\na,Errands,2026-01-01T00:00:00Z\nb,Errands,\n")
        const [empty, header] = [yield* file(""), yield* file("title\n")]
        const take = (path: string, ...args: ReadonlyArray<string>) =>
          admin("user", "import", user, path, "--format", "csv", ...args)
        const [shown, document, nothing, none] = yield* atMostThree(
          take(csv, "--dry-run"),
          take(csv, "--dry-run", "--json"),
          take(empty),
          take(header)
        )
        const [list, time] = [
          "the name of the list is left out: todos are imported without a list",
          "updatedAt is left out: it becomes the time of the import"
        ]
        assert.deepStrictEqual(
          [shown.code, shown.stderr],
          [0, `line 2: ${list} (and on 1 more)\nline 2: ${time}\nNothing was changed: this was a dry run\n`]
        )
        assert.deepStrictEqual([document.code, document.stderr], [0, ""])
        assert.deepStrictEqual(JSON.parse(document.stdout).leftOut, [
          { line: 2, message: list, count: 2 },
          { line: 2, message: time, count: 1 }
        ])
        assert.deepStrictEqual([nothing.code, nothing.stdout], [2, ""])
        assert.match(nothing.stderr, /^line 1: the file is empty\ntodo-admin: nothing was imported: /)
        assert.deepStrictEqual([none.code, none.stderr], [0, "Nothing was changed: the file has no todos\n"])
      })
    )

    it.effect("an import takes a CSV of another program, and names the errors of an invalid one", () =>
      Effect.gen(function* () {
        const user = newUser()
        const good = yield* file('\uFEFFtitle,tags,due\n"Buy, ""milk""\nnow",a,2026-12-01\nplain,,\n')
        const bad = yield* file("title,due\nx\n ,\ny,2026-02-30\n")
        const cut = yield* file('title,description\nok,\n"unterminated\nx\ny\n')
        const [names, open, latin] = [
          yield* file("title,colour\nx,red\n"),
          yield* file(`title\n"${"x".repeat(100_000)}\n`),
          yield* file("title\nx\n")
        ]
        yield* Effect.promise(() => writeFile(latin, Buffer.from("title\ncaf\u00E9\n", "latin1")))
        const csv = (path: string, ...args: ReadonlyArray<string>) =>
          admin("user", "import", user, path, "--format", "csv", ...args)
        const [wrong, unknown, unclosed, encoded] = yield* atMostThree(csv(bad), csv(names), csv(open), csv(latin))
        assert.match(
          wrong.stderr,
          /^line 2: 1 cells under 2 columns\nline 3: title must [^\n]+\nline 4: due[^\n]* must [^\n]+\ntodo-admin: /
        )
        assert.match(unknown.stderr, /^line 1: unknown column: colour; the first line must name title/)
        assert.match(unclosed.stderr, /^line 2: the row is longer than any todo; close the quotes of its cells\n/)
        assert.match(encoded.stderr, /not UTF-8/)
        const within = yield* csv(cut)
        assert.deepStrictEqual([within.code, within.stdout], [2, ""])
        assert.match(within.stderr, /a quote is not closed/)
        for (const { code, stdout } of [wrong, unknown, unclosed, encoded])
          assert.deepStrictEqual([code, stdout], [2, ""])
        assert.strictEqual((yield* csv(good)).code, 0)
        assert.deepStrictEqual(yield* titles(user), ['Buy, "milk"\nnow', "plain"])
      })
    )
  })
})
