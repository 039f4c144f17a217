import { assert, layer } from "@effect/vitest"
import { createTodos, type TodosForPromises, type Transaction } from "@todo/core/promise"
import { newUser, TestDatabase } from "@todo/core/testing"
import { Effect, Redacted } from "effect"
import { SqlError } from "effect/sql"
import { layerDatabase } from "../support/host.ts"
import { live, newTodoId } from "../support/suite.ts"

/** Runs a test with promises, as a host would write it. */
const hosted = (run: (host: TodosForPromises, user: string) => Promise<void>) =>
  Effect.gen(function* () {
    const { url } = yield* TestDatabase
    const host = createTodos({ url: Redacted.value(url), poolSize: 4 })
    yield* Effect.ensuring(
      Effect.promise(() => run(host, newUser().id)),
      Effect.promise(host.close)
    )
  })

const rejection = (promise: Promise<unknown>) =>
  promise.then(
    () => assert.fail("it did not reject"),
    (error: unknown) => error
  )

/** The number of todos of a user, outside the transaction. */
const count = async ({ todos }: TodosForPromises, user: string) => {
  const page = await todos.list(user, { count: true })
  return page.ok ? page.value.total : undefined
}

/** The function of a transaction that writes a todo and returns a value. */
const returning =
  (user: string, returned: unknown) =>
  async ({ todos }: Transaction) => {
    await todos.create(user, { title: "a" })
    return returned
  }

const todo = { id: "a", title: "a todo", completed: false }
const cyclic: Record<string, unknown> = {}
cyclic["self"] = cyclic

layer(layerDatabase, live)("the function of a transaction", (it) => {
  it.effect("a function that returns no failure commits, and its result is the value", () =>
    hosted(async (host, user) => {
      let expected = 0
      for (const returned of [
        undefined,
        null,
        0,
        7,
        "",
        "text",
        false,
        true,
        7n,
        Symbol.for("a"),
        [],
        {},
        todo,
        cyclic,
        new Date(0),
        new Error("a returned error is not a failure"),
        new Response(null, { status: 404 }),
        { ok: true },
        { ok: true, rows: 3 },
        { ok: false },
        { ok: false, reason: "no property error" },
        { ok: 0, error: "ok is not a boolean" },
        { error: "no ok" },
        { value: 1 },
        () => "a function"
      ]) {
        const ended = await host.transaction(returning(user, returned))
        assert.isTrue(ended.ok)
        assert.strictEqual(ended.ok ? ended.value : ended, returned)
        assert.strictEqual(await count(host, user), ++expected)
      }
    })
  )

  it.effect("the value of a transaction is the value of a returned outcome, also through nested promises", () =>
    hosted(async (host, user) => {
      const made = await host.transaction(({ todos }) => todos.create(user, { title: "a" }))
      assert.strictEqual(made.ok ? made.value.title : made.error._tag, "a")
      const plain = await host.transaction(async ({ todos }) => {
        const made = await todos.create(user, { title: "b" })
        return made.ok ? made.value : made
      })
      assert.strictEqual(plain.ok ? plain.value.title : plain.error._tag, "b")
      const twice = await host.transaction(() => Promise.resolve(Promise.resolve({ ok: true, value: 7 })))
      assert.deepStrictEqual(twice, { ok: true, value: 7 })
      assert.deepStrictEqual(await host.transaction(() => "no promise"), { ok: true, value: "no promise" })
      assert.strictEqual(await count(host, user), 2)
    })
  )

  it.effect("a function that returns a failure rolls back, also with an error of the host", () =>
    hosted(async (host, user) => {
      for (const failure of [
        { ok: false, error: "out of stock" },
        { ok: false, error: undefined },
        { ok: false, error: new Error("mine"), more: 1 }
      ]) {
        const { ok, error } = failure
        assert.deepStrictEqual<unknown>(await host.transaction(returning(user, failure)), { ok, error })
      }
      const gone = await host.transaction(async ({ todos }) => {
        await todos.create(user, { title: "a" })
        return todos.complete(user, newTodoId())
      })
      assert.strictEqual(gone.ok ? undefined : gone.error._tag, "TodoNotFound")
      assert.strictEqual(await count(host, user), 0)
    })
  )

  it.effect("a function that returns an array commits, even if the array has failures", () =>
    hosted(async (host, user) => {
      const ended = await host.transaction(({ todos }) =>
        Promise.all([todos.create(user, { title: "a" }), todos.create(user, { title: "" })])
      )
      assert.deepStrictEqual(ended.ok ? ended.value.map(({ ok }) => ok) : ended, [true, false])
      assert.strictEqual(await count(host, user), 1)
    })
  )

  it.effect("a function that rejects or throws rolls back, and the transaction rejects with the same error", () =>
    hosted(async (host, user) => {
      const begun = async ({ todos }: Transaction) => void (await todos.create(user, { title: "a" }))
      for (const thrown of [new Error("a"), "text", undefined, null, { ok: true, value: 1 }]) {
        assert.strictEqual(
          await rejection(host.transaction((within) => begun(within).then(() => Promise.reject(thrown)))),
          thrown
        )
      }
      const boom = new Error("at once")
      assert.strictEqual(
        await rejection(
          host.transaction(() => {
            throw boom
          })
        ),
        boom
      )
      const trap = {
        get ok(): boolean {
          throw boom
        }
      }
      assert.strictEqual(await rejection(host.transaction((within) => begun(within).then(() => trap))), boom)
      assert.match(
        String(await rejection(host.transaction((within) => begun(within).then(() => Effect.succeed(1))))),
        /returned an Effect.*return Effect\.runPromise/
      )
      assert.strictEqual(await count(host, user), 0)
    })
  )

  it.effect("the transaction rejects if the function ignores the failure of a statement", () =>
    hosted(async (host, user) => {
      const swallowed = host.transaction(async ({ query, todos }) => {
        await todos.create(user, { title: "a" })
        await query("select * from no_such_table").catch(() => {})
        return "all is well"
      })
      const error = await rejection(swallowed)
      assert.isTrue(SqlError.isSqlError(error))
      assert.match(String(error), /rolled back/)
      assert.strictEqual(await count(host, user), 0)
    })
  )
})

layer(layerDatabase, live)("the methods of a transaction", (it) => {
  it.effect("methods reject with a message after the transaction has ended", () =>
    hosted(async (host, user) => {
      let kept: Transaction | undefined
      const keep = async (within: Transaction) => {
        kept = within
      }
      const late = async () => {
        for (const call of [() => kept?.query("select 1"), () => kept?.todos.create(user, { title: "late" })]) {
          assert.match(String(await rejection(Promise.resolve(call()))), /transaction has ended: await each call/)
        }
      }
      await host.transaction(keep)
      await late()
      await rejection(host.transaction((within) => keep(within).then(() => Promise.reject(new Error("no")))))
      await late()
      assert.strictEqual(await count(host, user), 0)
    })
  )

  it.effect("concurrent calls for several users run in the order of the calls", () =>
    hosted(async (host, user) => {
      const other = newUser().id
      const ended = await host.transaction(({ query, todos }) =>
        Promise.all([
          ...Array.from({ length: 20 }, (_, n) => todos.create(n % 2 === 0 ? user : other, { title: `${n}` })),
          todos.list(user, {}),
          query("select 1 as one")
        ])
      )
      assert.isTrue(ended.ok && ended.value.length === 22)
      const page = await host.todos.list(user, {})
      assert.deepStrictEqual(
        page.ok ? page.value.items.map(({ title }) => title) : page,
        Array.from({ length: 10 }, (_, n) => `${2 * n}`)
      )
      assert.strictEqual(await count(host, other), 10)
    })
  )

  it.effect("a call that is not awaited commits with the transaction, and is not started if the function failed", () =>
    hosted(async (host, user) => {
      const begin = ({ query, todos }: Transaction) => [
        query("select pg_sleep(0.05)"),
        todos.create(user, { title: "a" }),
        todos.create(user, { title: "b" })
      ]
      await host.transaction((within) => void begin(within))
      assert.strictEqual(await count(host, user), 2)
      const boom = new Error("failed")
      let calls: ReadonlyArray<Promise<unknown>> = []
      const failed = host.transaction((within) => {
        calls = begin(within)
        throw boom
      })
      assert.strictEqual(await rejection(failed), boom)
      assert.deepStrictEqual(
        (await Promise.allSettled(calls)).map(({ status }) => status),
        ["fulfilled", "rejected", "rejected"]
      )
      assert.strictEqual(await count(host, user), 2)
    })
  )
})
