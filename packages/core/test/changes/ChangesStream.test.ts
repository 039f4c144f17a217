import { assert, layer } from "@effect/vitest"
import { Changes, CurrentUser, type LiveChange, Lists, Todos } from "@todo/core"
import { newUser } from "@todo/core/testing"
import { Effect, Exit, Fiber, Layer, References, Scope, Stream } from "effect"
import { SqlClient } from "effect/sql"
import { onPool, onRecordedPool, Ran, range } from "../support/clients.ts"
import { asOwner, asSuperuser } from "../support/connections.ts"
import { Fold, itemOf, purgeAsSuperuser, stored, walkChanges } from "../support/feed.ts"
import { busy, following, until } from "../support/following.ts"
import { asNewUser, live, query, seeded } from "../support/suite.ts"

const revisions = (changes: ReadonlyArray<LiveChange>) => changes.map(({ change }) => change.revision)

layer(onPool(10), live)("a stream of changes", (it) => {
  it.effect("a stream sends the existing changes, then each new one, with trash and lists", () =>
    Effect.gen(function* () {
      const todos = yield* Todos
      const lists = yield* Lists
      const one = yield* todos.create({ title: "one" })
      const { got } = yield* following()
      yield* until(() => got.length === 1)
      const list = yield* lists.create({ name: "a" })
      yield* until(() => got.length === 2)
      const gone = yield* todos.delete(one.id)
      yield* until(() => got.length === 3)
      assert.deepStrictEqual(
        got.map(({ change }) => [change.kind, change.deleted, itemOf(change)]),
        [
          ["todo", false, one],
          ["list", false, list],
          ["todo", true, gone]
        ]
      )
      // Cursors of the stream are valid for pages, and the other way round.
      assert.lengthOf((yield* walkChanges(got[1]?.cursor)).changes, 1)
      const { got: again } = yield* following((yield* (yield* Changes).page({ limit: 1 })).nextCursor)
      yield* until(() => again.length === 1)
      assert.deepStrictEqual(again, got.slice(2))
    }).pipe(Effect.scoped, asNewUser)
  )

  it.effect("a stream that is cut at 50 random moments and resumed misses no change and repeats none", () =>
    seeded((random) =>
      Effect.gen(function* () {
        const changes = yield* Changes
        const got: Array<LiveChange> = []
        const follow = (cut: <E, R>(stream: Stream.Stream<LiveChange, E, R>) => Stream.Stream<LiveChange, E, R>) =>
          Effect.suspend(() => {
            const since = got.at(-1)?.cursor
            const stream = changes.stream(since === undefined ? {} : { since })
            return Stream.runForEach(cut(stream), (change) => Effect.sync(() => got.push(change)))
          })

        const writers = Effect.forEach(range(16), () => busy(random), { concurrency: 2, discard: true })
        const writing = yield* Effect.forkChild(writers)
        for (const _ of range(50)) yield* follow(Stream.interruptWhen(Effect.sleep(1 + random.int(30))))
        yield* Fiber.join(writing)
        const { changes: whole } = yield* walkChanges()
        const final = whole.at(-1)?.revision
        if (got.at(-1)?.change.revision !== final)
          yield* follow(Stream.takeUntil(({ change }) => change.revision === final))

        const seen = revisions(got)
        assert.deepStrictEqual(
          seen,
          [...new Set(seen)].toSorted((a, b) => a - b)
        )
        const followed = new Fold().add(got.map(({ change }) => change)).rows
        assert.deepStrictEqual(followed, whole.map(itemOf))
        assert.deepStrictEqual(followed, yield* asSuperuser(stored))
      }).pipe(asNewUser)
    )
  )

  it.effect("a stream sends only the changes of its user, with three streams for each of 20 users", () =>
    Effect.gen(function* () {
      const todos = yield* Todos
      const users = range(20).map(newUser)
      const streams = yield* Effect.forEach(
        users.flatMap((user) => [user, user, user]),
        (user) => Effect.map(Effect.provideService(following(), CurrentUser, user), ({ got }) => ({ user, got }))
      )
      yield* Effect.forEach(
        users,
        (user) =>
          Effect.forEach(range(4), (n) => todos.create({ title: `${user.id} ${n}` })).pipe(
            Effect.provideService(CurrentUser, user)
          ),
        { concurrency: 8 }
      )
      yield* until(() => streams.every(({ got }) => got.length >= 4))
      for (const { got, user } of streams) {
        assert.deepStrictEqual(
          got.map(({ change }) => change.kind === "todo" && change.todo.title),
          range(4).map((n) => `${user.id} ${n}`)
        )
      }
    }).pipe(Effect.scoped)
  )

  it.effect("a new stream sends a change that another stream of the user has just read", () =>
    Effect.gen(function* () {
      const todos = yield* Todos
      const { got } = yield* following()
      for (const n of range(8)) {
        yield* todos.create({ title: `${n}` })
        const { got: joined } = yield* following()
        yield* until(() => joined.length > n && got.length > n)
      }
    }).pipe(Effect.scoped, asNewUser)
  )

  it.effect("a stream ends with CursorExpired if a purge removed changes after its cursor", () =>
    Effect.gen(function* () {
      const changes = yield* Changes
      const todos = yield* Todos
      const { id } = yield* todos.create({ title: "a" })
      const { nextCursor } = yield* changes.page({})
      yield* todos.delete(id)
      yield* purgeAsSuperuser
      const error = yield* Effect.flip(Stream.runDrain(changes.stream({ since: nextCursor })))
      assert.strictEqual(error._tag, "CursorExpired")
      const bad = yield* Effect.flip(Stream.runDrain(changes.stream({ since: "x" })))
      assert.strictEqual(bad._tag, "InvalidCursor")
    }).pipe(asNewUser)
  )

  it.effect("a stream ends with CursorExpired if the database is restored to an earlier state", () =>
    Effect.gen(function* () {
      const todos = yield* Todos
      const { id } = yield* CurrentUser
      yield* todos.create({ title: "a" })
      yield* todos.create({ title: "b" })
      const { fiber, got } = yield* following()
      yield* until(() => got.length === 2)
      yield* asSuperuser(query("delete from todo.todos where owner_id = $1 and revision = 2", [id]))
      yield* asSuperuser(query("update todo.users set revision = 1 where id = $1", [id]))
      const error = yield* Fiber.join(fiber).pipe(Effect.flip, Effect.timeout("5 seconds"))
      assert.strictEqual(error._tag, "CursorExpired")
    }).pipe(Effect.scoped, asNewUser)
  )
})

/** Parts of the poll that all streams of a process share, and of the page of one stream. */
const tick = "calls.seen"
const page = "0::bigint as revision"

const ran = new Ran()
const after = (ticks: number) =>
  Effect.suspend(() => {
    const before = ran.count(tick)
    return until(() => ran.count(tick) >= before + ticks)
  })

/** Waits until no statement of the services is running. */
const untilIdle = asSuperuser(
  query(
    `select from pg_stat_activity
     where datname = current_database() and usename <> current_user and state <> 'idle'`
  ).pipe(Effect.repeat({ until: (running) => running.length === 0 }), Effect.timeout("10 seconds"))
)

const silent = Layer.succeed(References.MinimumLogLevel, "None")

layer(Layer.provideMerge(onRecordedPool(ran), silent), live)("the queries of streams", (it) => {
  it.effect("a change of a host transaction appears only after its commit, and never after a rollback", () =>
    Effect.gen(function* () {
      const todos = yield* Todos
      const sql = yield* SqlClient.SqlClient
      const { got } = yield* following()
      yield* after(1)
      const inside = Effect.fnUntraced(function* (title: string) {
        yield* todos.create({ title })
        // Two polls run while the change is not committed.
        yield* after(2)
        assert.lengthOf(got, 0)
      })
      yield* Effect.flip(sql.withTransaction(Effect.andThen(inside("undone"), Effect.fail("undone"))))
      yield* sql.withTransaction(inside("done"))
      yield* until(() => got.length > 0)
      assert.deepStrictEqual(
        got.map(({ change }) => change.kind === "todo" && change.todo.title),
        ["done"]
      )
    }).pipe(Effect.scoped, asNewUser)
  )

  it.effect("polling stops when no stream is open, however the streams ended", () =>
    Effect.gen(function* () {
      const changes = yield* Changes
      const todos = yield* Todos
      yield* todos.create({ title: "a" })
      const taken = Stream.runDrain(Stream.take(changes.stream({}), 1))
      const failed = Effect.exit(Stream.runDrain(Stream.mapEffect(changes.stream({}), () => Effect.die("consumer"))))
      const timedOut = Effect.timeoutOption(Stream.runDrain(changes.stream({})), "50 millis")
      const refused = Effect.exit(Stream.runDrain(changes.stream({ since: "x" })))
      yield* Effect.all([taken, failed, timedOut, refused, following().pipe(Effect.scoped)], { concurrency: 5 })
      yield* untilIdle
      const before = ran.texts.length
      // Nothing marks the absence of polls: these are four intervals.
      yield* Effect.sleep("1 second")
      assert.strictEqual(ran.texts.length, before)
    }).pipe(asNewUser)
  )

  it.effect("all streams share one poll, and no page is read while nothing changes", () =>
    Effect.gen(function* () {
      yield* Effect.forEach(range(200), () => asNewUser(following()))
      yield* until(() => ran.count(page) >= 200)
      yield* after(2)
      const [pages, ticks] = [ran.count(page), ran.count(tick)]
      yield* after(4)
      assert.strictEqual(ran.count(page), pages)
      assert.isAtMost(ran.count(tick) - ticks, 8)
    }).pipe(Effect.scoped)
  )

  it.effect("a stream does not read pages endlessly if the last change of its user was purged", () =>
    Effect.gen(function* () {
      const todos = yield* Todos
      yield* todos.create({ title: "stays" })
      yield* todos.delete((yield* todos.create({ title: "goes" })).id)
      yield* purgeAsSuperuser
      const { got } = yield* following()
      yield* after(2)
      const before = ran.count(page)
      yield* after(4)
      assert.isAtMost(ran.count(page) - before, 4)
      yield* todos.create({ title: "b" })
      yield* until(() => got.length === 2)
    }).pipe(Effect.scoped, asNewUser)
  )

  it.effect("a stream reads no faster than its consumer", () =>
    Effect.gen(function* () {
      const changes = yield* Changes
      const todos = yield* Todos
      const some = range(100).map((n) => ({ op: "create" as const, todo: { title: `${n}` } }))
      yield* Effect.forEach(range(6), () => todos.batch(some))
      const before = ran.count(page)
      const scope = yield* Scope.make()
      yield* changes.stream({}).pipe(
        Stream.runForEach(() => Effect.never),
        Effect.forkIn(scope)
      )
      yield* until(() => ran.count(page) > before)
      yield* after(2)
      assert.isAtMost(ran.count(page) - before, 2)
      yield* Scope.close(scope, Exit.void)
    }).pipe(asNewUser)
  )

  it.effect("a stream continues after lost connections, and after its queries were refused for a while", () =>
    Effect.gen(function* () {
      const todos = yield* Todos
      const { got } = yield* following()
      yield* todos.create({ title: "a" })
      yield* until(() => got.length === 1)
      yield* asSuperuser(
        query(
          `select pg_terminate_backend(pid) from pg_stat_activity
           where datname = current_database() and pid <> pg_backend_pid()`
        )
      )
      yield* Effect.retry(todos.create({ title: "b" }), { times: 20 })
      yield* until(() => got.length >= 2)
      yield* asOwner(query("revoke select on todo.users from todo_runtime"))
      yield* after(2)
      yield* asOwner(query("grant select on todo.users to todo_runtime"))
      const before = got.length
      yield* todos.create({ title: "c" })
      yield* until(() => got.length > before)
    }).pipe(Effect.scoped, asNewUser)
  )

  it.effect("a stream ends if the operator disables its user", () =>
    Effect.gen(function* () {
      const { id } = yield* CurrentUser
      yield* (yield* Todos).create({ title: "a" })
      const changes = yield* Changes
      const ended = yield* Effect.forkChild(Effect.flip(Stream.runDrain(changes.stream({}))))
      yield* asSuperuser(query("update todo.users set disabled_at = now() where id = $1", [id]))
      assert.strictEqual((yield* Fiber.join(ended))._tag, "UserDisabled")
    }).pipe(Effect.timeout("10 seconds"), asNewUser)
  )
})
