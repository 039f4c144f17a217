import { assert, describe, it, layer } from "@effect/vitest"
import { CurrentUser, Lists, TodoNotFound, Todos } from "@todo/core"
import { addTodos, awaitChange, newUser, probeIsolation, TestDatabase } from "@todo/core/testing"
import { execFile } from "node:child_process"
import { promisify } from "node:util"
import { ConfigProvider, Effect, Fiber, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { asSuperuser } from "./support/connections.ts"
import { asNewUser, live, query, services, tagOf, walkTodos } from "./support/suite.ts"

layer(services, live)("addTodos", (it) => {
  it.effect("addTodos adds the requested number of todos in order, with default or custom fields", () =>
    Effect.gen(function* () {
      const added = yield* addTodos(3)
      assert.deepStrictEqual(yield* walkTodos({}), added)
      assert.deepStrictEqual(
        added.map(({ title }) => title),
        ["Todo 1", "Todo 2", "Todo 3"]
      )
      const [high] = yield* addTodos(1, (n) => ({ title: `number ${n}`, priority: "high" }))
      assert.deepInclude(high, { title: "number 1", priority: "high" })
    }).pipe(asNewUser)
  )
})

layer(services, live)("probeIsolation", (it) => {
  const own = Effect.flatMap(Todos, (todos) => todos.list({}))
  /** A query without the user, as the superuser, to whom no policy applies. */
  const all = asSuperuser(query("select title from todo.todos"))

  it.effect("probeIsolation accepts a service that isolates users", () =>
    Effect.gen(function* () {
      yield* probeIsolation(() => own)
      yield* probeIsolation(({ list }) => Effect.flatMap(Lists, (lists) => lists.get(list.id)))
      yield* probeIsolation(({ user }) => Promise.resolve({ user }))
      yield* probeIsolation(({ user }) =>
        asSuperuser(query("select id from todo.todos where owner_id = $1", [user.id]))
      )
    })
  )

  it.effect("probeIsolation passes the ids of the other user, so a query can try to read them", () =>
    Effect.gen(function* () {
      const todos = yield* Todos
      const foreign = probeIsolation((_, other) => Effect.forEach(other.todos, ({ id }) => todos.get(id)))
      assert.instanceOf(yield* Effect.flip(foreign), TodoNotFound)
    })
  )

  it.effect("probeIsolation reports rows of other users in a result", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(probeIsolation(() => all))
      assert.strictEqual(error._tag, "IsolationBroken")
      assert.match(error.message, /returned data of another user: user-/)
    })
  )

  it.effect("probeIsolation reports rows at any depth of a result", () =>
    Effect.gen(function* () {
      class Answer {
        readonly parts: unknown
        constructor(...parts: ReadonlyArray<unknown>) {
          this.parts = parts
        }
      }
      for (const hide of [
        (id: string) => new Map([[{ key: [id] }, 1n]]),
        (id: string) => new Answer(1, { a: { b: { c: { d: { e: new Set([id]) } } } } }),
        (id: string) => [...Array.from({ length: 1_000 }, () => 0), id],
        (id: string) => "x".repeat(100_000) + id
      ]) {
        const broken = probeIsolation((own, other) => Effect.succeed([own, hide(other.todos[2]?.id ?? "")]))
        assert.strictEqual(yield* tagOf(broken), "IsolationBroken")
      }
    })
  )

  it.effect("probeIsolation reports rare leaks, such as those of a cache with a wrong key", () =>
    Effect.gen(function* () {
      let calls = 0
      let remembered: Effect.Success<typeof own> | undefined
      const cached = probeIsolation(() =>
        ++calls % 7 === 0 && remembered !== undefined
          ? Effect.succeed(remembered)
          : Effect.tap(own, (page) => Effect.sync(() => (remembered = page)))
      )
      assert.strictEqual(yield* tagOf(cached), "IsolationBroken")
    })
  )

  it.effect("probeIsolation reports leaks between concurrent calls", () =>
    Effect.gen(function* () {
      let current: unknown
      const shared = probeIsolation(({ user }) =>
        Effect.sync(() => (current = user)).pipe(
          Effect.andThen(own),
          Effect.map(() => current)
        )
      )
      assert.strictEqual(yield* tagOf(shared), "IsolationBroken")
    })
  )

  it.effect("probeIsolation does not accept an empty result", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* tagOf(probeIsolation(() => Effect.succeed([]))), "NothingSeen")
      // Row-level security applies to the runtime role: a query without a user returns nothing.
      assert.strictEqual(yield* tagOf(probeIsolation(() => query("select * from todo.todos"))), "NothingSeen")
    })
  )
})

layer(services, live)("awaitChange", (it) => {
  it.effect("awaitChange returns past, current and later changes", () =>
    Effect.gen(function* () {
      const todos = yield* Todos
      const [first, second] = yield* addTodos(2)
      if (first === undefined || second === undefined) return assert.fail()
      const { change, cursor } = yield* awaitChange(({ id }) => id === second.id)
      assert.deepInclude(change, { kind: "todo", revision: 2, deleted: false })

      const waiting = yield* Effect.forkChild(awaitChange(() => true, { since: cursor }))
      yield* todos.delete(first.id)
      const next = yield* Fiber.join(waiting)
      assert.deepInclude(next.change, { id: first.id, revision: 3, deleted: true })
    }).pipe(asNewUser)
  )

  it.effect("awaitChange times out, and ignores changes of other users", () =>
    Effect.gen(function* () {
      yield* asNewUser(addTodos(1))
      assert.strictEqual(yield* tagOf(awaitChange(() => true, { within: "700 millis" })), "TimeoutError")
    }).pipe(asNewUser)
  )
})

describe("TestDatabase", () => {
  const environment = ConfigProvider.layer(ConfigProvider.fromUnknown({}))

  it.effect("an error of TestDatabase names TEST_POSTGRES if it is invalid; other settings are ignored", () =>
    Effect.gen(function* () {
      for (const wrong of ["nonsense", "http://127.0.0.1", "127.0.0.1:5432"]) {
        const given = { TEST_POSTGRES: wrong, NODE_ENV: "production", DATABASE_URL: "postgres://a@b/c" }
        const environment = ConfigProvider.layer(ConfigProvider.fromUnknown(given))
        const failing = Layer.build(TestDatabase.make({ migrated: true })).pipe(
          Effect.scoped,
          Effect.provide(environment)
        )
        assert.match(String(yield* Effect.flip(failing)), /TEST_POSTGRES/)
      }
    })
  )

  it("an error of TestDatabase names TEST_POSTGRES if no server can be started", async () => {
    const script = `
      Object.defineProperty(process, "platform", { value: "win32" })
      const { Effect, Layer } = await import("effect")
      const { TestDatabase } = await import("@todo/core/testing")
      await Effect.runPromise(Effect.scoped(Layer.build(TestDatabase.layer))).catch((error) => console.log(error.message))`
    const { TEST_POSTGRES: _, ...env } = process.env
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", script], {
      cwd: import.meta.dirname,
      env
    })
    assert.match(stdout, /binaries .*, or set TEST_POSTGRES to a server/)
    assert.notInclude(stdout, "DATABASE_URL")
  })

  it.live("TestDatabase starts a server if there is none, and makes separate databases", () =>
    Effect.gen(function* () {
      const count = Effect.gen(function* () {
        const { adminUrl } = yield* TestDatabase
        yield* Effect.provideService(addTodos(1), CurrentUser, newUser())
        const rows = yield* Effect.flatMap(SqlClient.SqlClient, (sql) => sql`select 1 from pg_roles`)
        return [adminUrl, rows.length > 0] as const
      }).pipe(Effect.provide(services.pipe(Layer.provide(environment)), { local: true }))
      const [[one, oneWorks], [other, otherWorks]] = [yield* count, yield* count]
      assert.deepStrictEqual([oneWorks, otherWorks], [true, true])
      assert.notStrictEqual(one, other)
    })
  )
})
