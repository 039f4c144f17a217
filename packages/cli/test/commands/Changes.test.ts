import { assert, describe, layer } from "@effect/vitest"
import { type Change, Lists, Todos } from "@todo/core"
import { TestDatabase } from "@todo/core/testing"
import { Effect } from "effect"
import { add, admin, assertFailed, asUser, environment, newUser, sql, start, atMostThree } from "../support/program.ts"

type Line = Change & { readonly cursor: string }

const parse = (stdout: string): ReadonlyArray<Line> =>
  stdout
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line))

/** A user with two todos, one of them in the trash, and a list. */
const someone = Effect.gen(function* () {
  const user = newUser()
  const [one] = yield* add(user, "one", "two \u001B[31m")
  assert.isDefined(one)
  yield* asUser(
    user,
    Effect.gen(function* () {
      yield* (yield* Lists).create({ name: "Errands" })
      yield* (yield* Todos).delete(one.id)
    })
  )
  return user
})

/** Follows the changes of a user, and waits until the present ones are printed. */
const following = Effect.fnUntraced(function* (user: string, lines: number, ...flags: ReadonlyArray<string>) {
  const follower = start(["changes", "--user", user, "--follow", ...flags], yield* environment)
  yield* Effect.promise(() => follower.lines(lines))
  return follower
})

layer(TestDatabase.layer, { excludeTestServices: true })((it) => {
  describe.concurrent("todo-admin changes", () => {
    it.effect("`changes` prints each item once and ends, and the cursor of any line continues after it", () =>
      Effect.gen(function* () {
        const user = yield* someone
        const changes = (...flags: ReadonlyArray<string>) => admin("changes", "--user", user, ...flags)
        const [all, drawn] = yield* atMostThree(changes("--json"), changes())
        assert.deepStrictEqual([all.code, all.stderr], [0, ""])
        const lines = parse(all.stdout)
        assert.deepStrictEqual(
          lines.map(({ deleted, kind, revision }) => [revision, kind, deleted]),
          [
            [2, "todo", false],
            [3, "list", false],
            [4, "todo", true]
          ]
        )
        assert.match(
          drawn.stdout,
          /^ {4}2 {2}todo {2}open {3}\S{36} {2}two \uFFFD\[31m\n {4}3 {2}list {9}\S+ {2}Errands\n {4}4 {2}todo {2}trash {2}\S+ {2}one\n$/
        )
        assert.strictEqual(drawn.stderr, `To continue after the last change: --since ${lines[2]?.cursor}\n`)

        const since = (at: number) => ["--since", lines[at]?.cursor ?? ""]
        const [rest, first, none, nobody] = yield* atMostThree(
          changes(...since(0), "--json"),
          changes("--limit", "1"),
          changes(...since(2)),
          admin("changes", "--user", newUser(), ...since(0))
        )
        assert.deepStrictEqual(parse(rest.stdout), lines.slice(1))
        assert.strictEqual(first.stderr, `To continue after the last change: --since ${lines[0]?.cursor}\n`)
        assert.deepStrictEqual(none, { code: 0, stdout: "", stderr: "No changes\n" })
        assertFailed(nobody, 2, /cursor does not belong to this user/)
      })
    )

    it.effect("`changes` reads all pages", () =>
      Effect.gen(function* () {
        const user = newUser()
        const titles = Array.from({ length: 230 }, (_, at) => `${at}`)
        yield* add(user, ...titles)
        const { stdout } = yield* admin("changes", "--user", user, "--json")
        assert.deepStrictEqual(
          parse(stdout).map((line) => line.kind === "todo" && line.todo.title),
          titles
        )
      })
    )

    it.effect("`changes` exits with 3 and a hint if a change after the cursor was purged", () =>
      Effect.gen(function* () {
        const user = yield* someone
        const [first] = parse((yield* admin("changes", "--user", user, "--json", "--limit", "1")).stdout)
        const { adminUrl } = yield* TestDatabase
        yield* sql(adminUrl, `update todo.users set horizon = 4 where id = '${user}'`)
        const runs = yield* atMostThree(
          admin("changes", "--user", user, "--since", first?.cursor ?? ""),
          admin("changes", "--user", user, "--since", first?.cursor ?? "", "--follow", "--json")
        )
        for (const run of runs)
          assertFailed(run, 3, /were purged, or the data were restored; drop the local copy and read everything again/)
      })
    )

    it.effect("`changes` prints changes of others within two seconds, until Ctrl-C, and then exits with 130", () =>
      Effect.gen(function* () {
        const user = yield* someone
        const [drawn, document] = yield* atMostThree(following(user, 3), following(user, 3, "--json"))
        yield* add(user, "live")
        const changed = Date.now()
        const [[, , , line], [, , , json]] = yield* Effect.promise(() =>
          Promise.all([drawn.lines(4), document.lines(4)])
        )
        assert.isBelow(Date.now() - changed, 2_000)
        assert.match(line ?? "", /^ +5 {2}todo {2}open {3}\S+ {2}live$/)
        const { cursor, ...change }: Line = JSON.parse(json ?? "")
        assert.deepInclude(change, { kind: "todo", revision: 5, deleted: false })

        for (const { child } of [drawn, document]) child.kill("SIGINT")
        const [people, script] = yield* Effect.promise(() => Promise.all([drawn.ended, document.ended]))
        assert.deepInclude(people, { code: 130, stderr: `To continue after the last change: --since ${cursor}\n` })
        assert.deepInclude(script, { code: 130, stderr: "" })
        assert.strictEqual(script.stdout.split("\n").length, 5)
      })
    )

    it.effect("`changes` exits with 0 when the reader closes the pipe, and after --limit changes", () =>
      Effect.gen(function* () {
        const user = yield* someone
        const [unread, limited] = yield* atMostThree(following(user, 3), following(user, 3, "--limit", "4"))
        unread.child.stdout.destroy()
        yield* add(user, "four")
        const [{ code, stderr }, four] = yield* Effect.promise(() => Promise.all([unread.ended, limited.ended]))
        assert.deepStrictEqual({ code, stderr }, { code: 0, stderr: "" })
        assert.strictEqual(four.code, 0)
        assert.match(four.stdout, /(.*\n){3}.* four\n$/)
      })
    )
  })
})
