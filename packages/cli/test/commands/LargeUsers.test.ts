/**
 * Users whose data does not fit into memory. `TODO_TEST_LONG=1` exports a million todos, imports 200,000, and kills more
 * processes.
 */
import { createReadStream } from "node:fs"
import { createHash } from "node:crypto"
import { join } from "node:path"
import { assert, layer } from "@effect/vitest"
import { TestDatabase } from "@todo/core/testing"
import { Effect } from "effect"
import { admin, environment, newUser, sql, start, temporaryDirectory } from "../support/program.ts"

// oxlint-disable-next-line node/no-process-env
const long = process.env["TODO_TEST_LONG"] === "1"

const asSuperuser = (statement: string) => Effect.flatMap(TestDatabase, ({ adminUrl }) => sql(adminUrl, statement))

/** A user with this number of todos, inserted by SQL. */
const userWith = Effect.fnUntraced(function* (count: number) {
  const user = newUser()
  yield* asSuperuser(`insert into todo.users (id, revision, horizon, created_at, written_at)
    values ('${user}', ${count + 10}, 0, '2026-01-01', '2026-06-01')`)
  yield* asSuperuser(`insert into todo.lists select '${user}', gen_random_uuid(), 'list ' || n, todo.last_position(n), n, '2026-01-01', '2026-01-01', null
    from generate_series(1, 10) n`)
  yield* asSuperuser(`insert into todo.todos (owner_id, id, title, title_key, title_words, description, description_words, priority,
      due_date, tags, list_id, position, revision, created_at, updated_at, completed_at, deleted_at)
    select '${user}', gen_random_uuid(), 'Buy milk and bread ' || n, '', '{}', case when n % 3 = 0 then repeat('as one said to another ', 8) end,
      '{}', n % 4, case when n % 5 = 0 then date '2026-12-01' + n % 300 end, case when n % 2 = 0 then array['home', 'tag' || n % 50] else '{}' end,
      case when n % 4 = 0 then (select id from todo.lists where owner_id = '${user}' and revision = 1 + n / 4 % 10) end,
      todo.last_position(n + 10), n + 10, '2026-01-01', '2026-05-01', case when n % 6 = 0 then timestamptz '2026-03-01' end,
      case when n % 11 = 0 and n % 4 <> 0 then timestamptz '2026-04-01' end
    from generate_series(1, ${count}) n`)
  return user
})

/** Prints the peak memory of the process at its end (VmHWM, in KiB). */
const measured = {
  NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(
    `import { readFileSync, writeSync } from "node:fs"
     process.on("exit", () => writeSync(2, "peak " + /VmHWM:\\s+(\\d+)/.exec(readFileSync("/proc/self/status", "utf8"))[1] + "\\n"))`
  )}`
}

const run = Effect.fnUntraced(function* (...args: ReadonlyArray<string>) {
  const begun = performance.now()
  const { ended } = start(["user", ...args], { ...(yield* environment), ...measured })
  const { code, stderr, stdout } = yield* Effect.promise(() => ended)
  assert.strictEqual(code, 0, stderr)
  const peak = Number(/peak (\d+)/.exec(stderr)?.[1]) / 1_024
  if (long) console.info(`${args[0]}: ${Math.round(peak)} MiB, ${((performance.now() - begun) / 1_000).toFixed(1)} s`)
  return { peak, stdout }
})

/** A digest of the lines after the header, because the header contains the user. */
const digest = (path: string) =>
  Effect.promise(async () => {
    const hash = createHash("sha256")
    let inHeader = true
    for await (const part of createReadStream(path)) {
      const bytes = part as Buffer
      hash.update(inHeader ? bytes.subarray(bytes.indexOf(10)) : bytes)
      inHeader = false
    }
    return hash.digest("hex")
  })

layer(TestDatabase.layer, { excludeTestServices: true })("a large user", (it) => {
  const sizes = long ? [20_000, 200_000, 1_000_000] : [500, 50_000]

  it.effect(
    "an export of a large user takes constant memory",
    () =>
      Effect.gen(function* () {
        const directory = yield* temporaryDirectory()
        const peaks: Array<number> = []
        for (const size of sizes) {
          const user = yield* userWith(size)
          const path = join(directory, `${size}`)
          peaks.push((yield* run("export", user, "--output", path)).peak)
          if (size === sizes.at(-1)) {
            for (const format of ["ics", "csv"]) {
              assert.isBelow((yield* run("export", user, "--format", format, "--output", path)).peak, 250)
            }
          }
        }
        const [smallest = 0, largest = Infinity] = [peaks.at(0), peaks.at(-1)]
        assert.isBelow(largest, 200)
        assert.isBelow(largest - smallest, 40)
      }),
    30 * 60_000
  )

  it.effect(
    "an import restores the exported bytes, and a second import changes nothing",
    () =>
      Effect.gen(function* () {
        const directory = yield* temporaryDirectory()
        const [before, after] = [join(directory, "before"), join(directory, "after")]
        const user = yield* userWith(long ? 200_000 : 5_000)
        const other = newUser()
        yield* run("export", user, "--output", before)
        // 16 MiB are alive at any time, for any length of the file. The rest is garbage that V8 has not collected yet.
        assert.isBelow((yield* run("import", other, before)).peak, 300)
        yield* run("export", other, "--output", after)
        assert.strictEqual(yield* digest(after), yield* digest(before))
        const again = yield* run("import", other, before, "--json")
        assert.nestedInclude(JSON.parse(again.stdout), { "todos.same": long ? 200_000 : 5_000, "todos.added": 0 })
      }),
    30 * 60_000
  )

  /** The statements during which an import is killed. */
  const moments = [
    "insert into pg_temp.import_todos",
    "import_steps\nselect",
    'insert into "todo".todos',
    "replace_words",
    'update "todo".users',
    "COMMIT"
  ]
  it.effect(
    "a user is there whole or not at all when the import is killed, whenever that is",
    () =>
      Effect.gen(function* () {
        const directory = yield* temporaryDirectory()
        const size = long ? 50_000 : 3_000
        const path = join(directory, "file")
        const user = yield* userWith(size)
        yield* run("export", user, "--output", path)
        const busy = `select query from pg_stat_activity where datname = current_database() and application_name = 'todo migrate'`
        const killed: Array<string> = []
        for (const moment of long ? moments : moments.slice(2, 4)) {
          const other = newUser()
          const { child, ended } = start(["user", "import", other, path], yield* environment)
          for (;;) {
            const [row] = (yield* asSuperuser(busy)) as ReadonlyArray<{ query: string }>
            if (child.exitCode !== null) break
            if (row?.query.includes(moment) !== true) continue
            child.kill("SIGKILL")
            killed.push(moment)
            break
          }
          yield* Effect.promise(() => ended)
          while ((yield* asSuperuser(busy)).length > 0);
          const [row] = (yield* asSuperuser(`select
            (select count(*)::int from todo.users where id = '${other}') as users,
            (select count(*)::int from todo.todos where owner_id = '${other}') as todos,
            (select count(distinct todo_id)::int from todo.todo_words where owner_id = '${other}') as found`)) as ReadonlyArray<{
            users: number
            todos: number
            found: number
          }>
          if (long) console.info(`killed at ${JSON.stringify(moment)}: ${JSON.stringify(row)}`)
          const all = { users: 1, todos: size, found: size }
          assert.deepStrictEqual(row, row?.users === 1 ? all : { users: 0, todos: 0, found: 0 })
          if (row?.users === 0) {
            // The killed import leaves nothing that blocks a later one.
            assert.strictEqual((yield* admin("user", "import", other, path, "--dry-run", "--quiet")).code, 0)
          }
        }
        assert.isAtLeast(killed.length, long ? 3 : 1)
      }),
    30 * 60_000
  )
})
