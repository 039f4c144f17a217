import { assert, describe, layer } from "@effect/vitest"
import { TestDatabase } from "@todo/core/testing"
import { Effect, Schedule } from "effect"
import { admin, environment, json, newUser, sql, start } from "./support/program.ts"
import { sender, server } from "./support/server.ts"

/** The sizes of a long run (`TODO_TEST_LONG=1`), and of every other run. */
const long = process.env["TODO_TEST_LONG"] === "1"
const trashed = long ? 100_000 : 5_000

type Sender = Awaited<ReturnType<typeof sender>>

/** A user with this number of old todos in the trash. They are inserted by SQL, because the API would take too long. */
const filled = Effect.fnUntraced(function* (todos: number) {
  const user = newUser()
  const { adminUrl } = yield* TestDatabase
  yield* sql(adminUrl, `insert into todo.users (id, revision) values ('${user}', ${todos})`)
  yield* sql(
    adminUrl,
    `insert into todo.todos (owner_id, id, title, title_key, title_words, description_words, priority, tags, position,
      revision, created_at, updated_at, deleted_at)
    select '${user}', gen_random_uuid(), 'todo number ' || n, 'todo number ' || n, array['todo', 'number', n::text], '{}',
      0, '{}', todo.last_position(n), n, now(), now(), now() - interval '40 days' from generate_series(1, ${todos}) n`
  )
  yield* sql(
    adminUrl,
    `insert into todo.todo_words select owner_id, word, id from todo.todos, unnest(title_words) word
    where owner_id = '${user}'`
  )
  yield* sql(adminUrl, "analyze todo.todos, todo.todo_words")
  return user
})

/** The rows in the trash, the words that only they have, and the last revision of the old ones. */
const count = (user: string) =>
  Effect.map(
    Effect.flatMap(TestDatabase, ({ adminUrl }) =>
      sql(
        adminUrl,
        `select count(*)::int as todos, (
            select count(*)::int from todo.todo_words w where owner_id = '${user}' and not exists (
              select from todo.todos t where owner_id = '${user}' and t.id = w.todo_id and t.deleted_at is null
            )
          ) as words,
          coalesce(max(revision) filter (where deleted_at < now() - interval '30 days'), 0)::int as last
        from todo.todos where owner_id = '${user}' and deleted_at is not null`
      )
    ),
    ([row]) => row as { readonly todos: number; readonly words: number; readonly last: number }
  )

/** Repeats an effect until its value is the expected one, for at most a minute. */
const waitUntil = <A, E, R>(self: Effect.Effect<A, E, R>, expected: (value: A) => boolean) =>
  self.pipe(
    Effect.repeat({ until: expected, schedule: Schedule.spaced("5 millis") }),
    Effect.timeout("1 minute"),
    Effect.asVoid
  )

/** The number of connections of the program. PostgreSQL notices a closed connection a little later. */
const operators = Effect.map(
  Effect.flatMap(TestDatabase, ({ adminUrl }) =>
    sql(
      adminUrl,
      `select count(*)::int as n from pg_stat_activity
      where datname = current_database() and application_name = 'todo migrate'`
    )
  ),
  ([row]) => (row as { readonly n: number }).n
)

/** Creates, changes and deletes todos until it is stopped. Records the last revision of each, and the longest wait. */
class Writer {
  readonly rows = new Map<string, number>()
  readonly failures: Array<unknown> = []
  requests = 0
  longest = 0
  readonly #sender: Sender

  constructor(sender: Sender) {
    this.#sender = sender
  }

  async #timed(method: string, path: string, json?: unknown) {
    const begun = performance.now()
    const answer = await this.#sender.send(method, path, json)
    this.longest = Math.max(this.longest, performance.now() - begun)
    this.requests++
    if (answer.status >= 300) this.failures.push(answer)
    return answer
  }

  async run(stopped: () => boolean): Promise<void> {
    while (!stopped()) {
      const { body } = await this.#timed("POST", "/v1/todos", { title: "Buy milk" })
      const { body: done } = await this.#timed("PATCH", `/v1/todos/${body.id}`, { completed: true })
      this.rows.set(body.id, done.revision)
    }
  }
}

/** The last revision of each id in the changes after a cursor, or in all changes. */
const changesAfter = async ({ send }: Sender, cursor?: string) => {
  const rows = new Map<string, number>()
  for (let since = cursor; ;) {
    const { body, status } = await send("GET", `/v1/changes?limit=500${since === undefined ? "" : `&since=${since}`}`)
    assert.strictEqual(status, 200)
    for (const { id, revision } of body.changes) rows.set(id, revision)
    since = body.nextCursor
    if (body.hasMore === false) return rows
  }
}

layer(TestDatabase.layer, { excludeTestServices: true })((it) => {
  describe("beside a running server", () => {
    it.effect(
      "`user disable` blocks a user and ends the streams within 5 seconds, and `user enable` unblocks the user",
      () =>
        Effect.gen(function* () {
          const address = yield* server
          const user = newUser()
          const { follow, send } = yield* Effect.promise(() => sender(address, user))
          const status = (method: string, path: string, json?: unknown) =>
            Effect.map(
              Effect.promise(() => send(method, path, json)),
              ({ status }) => status
            )
          assert.strictEqual(yield* status("POST", "/v1/todos", { title: "Buy milk" }), 201)
          const stream = yield* Effect.promise(follow)
          assert.strictEqual(stream.status, 200)

          yield* admin("user", "disable", user)
          const disabled = Date.now()
          assert.strictEqual(yield* status("POST", "/v1/todos", { title: "Buy milk" }), 403)
          assert.include(yield* Effect.promise(() => stream.ended), "Buy milk")
          yield* waitUntil(status("GET", "/v1/todos"), (code) => code === 403)
          assert.isBelow(Date.now() - disabled, 5_000)

          yield* admin("user", "enable", user)
          yield* waitUntil(status("GET", "/v1/todos"), (code) => code === 200)
          assert.strictEqual(yield* status("POST", "/v1/todos", { title: "Buy milk" }), 201)
        })
    )

    it.effect("`user erase` ends the user's streams, and the same token then creates an empty user", () =>
      Effect.gen(function* () {
        const address = yield* server
        const user = newUser()
        const { follow, send } = yield* Effect.promise(() => sender(address, user))
        yield* Effect.promise(() => send("POST", "/v1/todos", { title: "Buy milk" }))
        const { body: before } = yield* Effect.promise(() => send("GET", "/v1/changes"))
        const stream = yield* Effect.promise(follow)
        yield* admin("user", "erase", user, "--yes")
        yield* Effect.promise(() => stream.ended)
        // The stream may have ended earlier, because the erasure disables the user first.
        const list = Effect.promise(() => send("GET", "/v1/todos"))
        yield* waitUntil(list, ({ status }) => status !== 403)
        assert.deepStrictEqual(yield* list, { status: 200, body: { items: [], nextCursor: null } })
        for (let n = 0; n < 3; n++) {
          const { status } = yield* Effect.promise(() => send("POST", "/v1/todos", { title: "New" }))
          assert.strictEqual(status, 201)
          const { body } = yield* Effect.promise(() => send("GET", `/v1/changes?since=${before.nextCursor}`))
          assert.strictEqual(body.code, "cursor-expired")
        }
      })
    )

    it.effect(
      "`purge`, killed on the way and then run twice at once, holds nobody up and breaks no feed",
      () =>
        Effect.gen(function* () {
          const address = yield* server
          const user = yield* filled(trashed)
          const me = yield* Effect.promise(() => sender(address, user))
          const other = yield* Effect.promise(() => sender(address, newUser()))
          const page = (query: string) => Effect.promise(() => me.send("GET", `/v1/changes?${query}`))
          const { body: early } = yield* page("limit=1")
          const { body: half } = yield* page("limit=500")
          const { body: first } = yield* Effect.promise(() => me.send("POST", "/v1/todos", { title: "before" }))
          // The cursor of a client that has read everything.
          let end = half.nextCursor
          for (let hasMore = true; hasMore;) {
            const { body } = yield* page(`limit=500&since=${end}`)
            end = body.nextCursor
            hasMore = body.hasMore
          }

          let stop = false
          const writers = [new Writer(me), new Writer(me), new Writer(other), new Writer(other)]
          const written = Promise.all(writers.map((writer) => writer.run(() => stop)))
          const begun = performance.now()
          const args = ["purge", "--older-than", "30d", "--yes", "--json"]
          const killed = start(args, yield* environment)
          yield* waitUntil(count(user), ({ todos }) => todos <= trashed * 0.8)
          killed.child.kill("SIGKILL")
          yield* Effect.promise(() => killed.ended)
          yield* waitUntil(operators, (number) => number === 0)
          const left = yield* count(user)
          assert.isAbove(left.todos, 0)
          assert.strictEqual(left.words, left.todos * 3)
          assert.strictEqual((yield* page(`since=${early.nextCursor}`)).status, 410)

          const both = yield* Effect.all([json<Purged>(...args.slice(0, 4)), json<Purged>(...args.slice(0, 4))], {
            concurrency: 2
          })
          const seconds = (performance.now() - begun) / 1_000
          stop = true
          yield* Effect.promise(() => written)
          assert.strictEqual((both[0]?.todos ?? 0) + (both[1]?.todos ?? 0), left.todos)
          assert.deepInclude(yield* count(user), { todos: 0, last: 0 })

          for (const { failures } of writers) assert.deepStrictEqual(failures, [])
          // A write that waits for more than three seconds fails. The longest wait is only printed.
          const [mine1, mine2, ...others] = writers.map(({ longest }) => Math.round(longest))
          const requests = writers.reduce((sum, { requests }) => sum + requests, 0)
          if (long) {
            console.log(`${trashed} rows in ${seconds.toFixed(1)} s beside ${requests} requests;`)
            console.log(
              `the longest took ${mine1}, ${mine2} ms of the same user and ${others.join(", ")} ms of another`
            )
          }

          for (const { nextCursor } of [early, half]) {
            const { body, status } = yield* page(`since=${nextCursor}`)
            assert.deepStrictEqual([status, body.code], [410, "cursor-expired"])
          }
          const mine = new Map([...(writers[0]?.rows ?? []), ...(writers[1]?.rows ?? [])])
          assert.deepStrictEqual(sorted(yield* Effect.promise(() => changesAfter(me, end))), sorted(mine))
          mine.set(first.id, first.revision)
          assert.deepStrictEqual(sorted(yield* Effect.promise(() => changesAfter(me))), sorted(mine))
        }),
      long ? 900_000 : undefined
    )
  })
})

interface Purged {
  readonly todos: number
}

const sorted = (rows: ReadonlyMap<string, number>) => [...rows].toSorted(([, a], [, b]) => a - b)
