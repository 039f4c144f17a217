import { assert, layer } from "@effect/vitest"
import { Conflict, Unavailable, WriteRefused } from "@todo/core"
import { createTodos, type PromisedHooks, type TodosForPromises, type TodosOptions } from "@todo/core/promise"
import { newUser, TestDatabase } from "@todo/core/testing"
import { Effect, Redacted } from "effect"
import { SqlClient, SqlError } from "effect/sql"
import { asOwner } from "../support/connections.ts"
import { layerDatabase } from "../support/host.ts"
import { live, query } from "../support/suite.ts"

/** Creates a table of the host. */
const notes = asOwner(
  Effect.andThen(
    query("create table if not exists public.notes (who text, what text, check (what <> 'forbidden'))"),
    query("grant select, insert on public.notes to public")
  )
)
const insert = "insert into public.notes values ($1, $2)"

/** Runs a test with promises and with these hooks, as a host would write it. */
const hosted = (
  hooks: PromisedHooks,
  run: (host: TodosForPromises, user: string) => Promise<void>,
  options: Partial<TodosOptions> = {}
) =>
  Effect.gen(function* () {
    yield* notes
    const { url } = yield* TestDatabase
    const host = createTodos({ url: Redacted.value(url), poolSize: 4, hooks, ...options })
    yield* Effect.ensuring(
      Effect.promise(() => run(host, newUser().id)),
      Effect.promise(host.close)
    )
  })

const rejection = (promise: Promise<unknown>) =>
  promise.then(
    (value) => assert.fail(`it did not reject: ${JSON.stringify(value)}`),
    (error: unknown) => error
  )

const errorOf = async (outcome: Promise<{ ok: true; value: unknown } | { ok: false; error: unknown }>) => {
  const ended = await outcome
  return ended.ok ? undefined : ended.error
}

/** The number of open todos of a user, and the notes of the host about that user. */
const state = async ({ accounts, transaction }: TodosForPromises, user: string) => {
  const me = await accounts.me(user)
  const rows = await transaction(({ query }) => query("select what from public.notes where who = $1", [user]))
  return [me.ok ? me.value.counts.open : me, rows.ok ? rows.value.map(({ what }) => what) : rows]
}

layer(layerDatabase, live)("hooks of createTodos", (it) => {
  it.effect("hooks get the user and the requests of each write, and run in its transaction", () => {
    const heard: Array<unknown> = []
    return hosted(
      {
        before: (user, requests) => void heard.push([user, ...requests.map(({ kind, op }) => `${kind} ${op}`)]),
        after: async (user, done, { query, todos }) => {
          const page = await todos.list(user, { count: true })
          heard.push(page.ok ? page.value.total : page)
          for (const write of done) await query(insert, [user, write.op])
        }
      },
      async (host, user) => {
        await host.lists.create(user, { name: "a" })
        await host.todos.batch(user, [
          { op: "create", todo: { title: "a" } },
          { op: "create", todo: { title: "b" } }
        ])
        assert.deepStrictEqual(heard, [[user, "list create"], 0, [user, "todo create", "todo create"], 2])
        assert.deepStrictEqual(await state(host, user), [2, ["create", "create", "create"]])
      }
    )
  })

  it.effect("a hook can refuse a write before or after it: the caller gets WriteRefused, and nothing is stored", () => {
    const refused = new WriteRefused({ code: "month-closed", message: "The month is closed" })
    let hooks: PromisedHooks = {}
    return hosted(
      { before: (...given) => hooks.before?.(...given), after: (...given) => hooks.after?.(...given) },
      async (host, user) => {
        const cases: ReadonlyArray<PromisedHooks> = [
          { before: (_, __, { refuse }) => refuse("month-closed", "The month is closed") },
          {
            after: async (user, _, { query, refuse }) => {
              await query(insert, [user, "never"])
              refuse("month-closed", "The month is closed")
            }
          },
          { after: () => Promise.reject(refused) },
          {
            before: () => {
              throw refused
            }
          },
          // Catching the error does not cancel the refusal. The first reason counts.
          {
            before: (_, __, { refuse }) => {
              for (const code of ["month-closed", "another"]) {
                try {
                  refuse(code, "The month is closed")
                } catch {}
              }
            }
          },
          { after: async () => ({ ok: false, error: refused }) }
        ]
        for (const each of cases) {
          hooks = each
          assert.deepStrictEqual(await errorOf(host.todos.create(user, { title: "a" })), refused)
          const within = host.transaction(({ todos }) => todos.create(user, { title: "a" }))
          assert.deepStrictEqual(await errorOf(within), refused)
          hooks = {}
          assert.deepStrictEqual(await state(host, user), [0, []])
        }
      }
    )
  })

  it.effect("a hook that throws rolls the write back, and the call rejects with the same error", () => {
    let after: () => unknown = () => {}
    return hosted(
      {
        after: async (user, _, { query }) => {
          await query(insert, [user, "never"])
          return after()
        }
      },
      async (host, user) => {
        const boom = new Error("the host is broken")
        after = () => Promise.reject(boom)
        assert.strictEqual(await rejection(host.todos.create(user, { title: "a" })), boom)
        const inside = host.transaction(({ todos }) => todos.create(user, { title: "a" }))
        assert.strictEqual(await rejection(inside), boom)
        after = () => Promise.reject("text")
        assert.strictEqual(await rejection(host.todos.create(user, { title: "a" })), "text")
        for (const [returned, message] of [
          [false, /The hook after returned false: call refuse\(code, message\)/],
          [Effect.void, /The hook after returned an Effect/],
          [{ ok: false, error: boom }, /the host is broken/]
        ] as const) {
          after = () => returned
          assert.match(String(await rejection(host.todos.create(user, { title: "a" }))), message)
        }
        after = () => ({ ok: true, value: "any other result is ignored" })
        assert.isUndefined(await errorOf(host.todos.create(user, { title: "a" })))
        assert.deepStrictEqual(await state(host, user), [1, ["never"]])
      }
    )
  })

  it.effect("a failed statement of a hook rolls the write back, even if the hook ignores the failure", () => {
    let isSwallowed = false
    return hosted(
      {
        after: (user, _, { query }) => {
          const failing = query(insert, [user, "forbidden"])
          return isSwallowed ? failing.catch(() => {}) : failing
        }
      },
      async (host, user) => {
        assert.isTrue(SqlError.isSqlError(await rejection(host.todos.create(user, { title: "a" }))))
        isSwallowed = true
        assert.match(String(await rejection(host.todos.create(user, { title: "a" }))), /rolled back/)
        assert.deepStrictEqual(await state(host, user), [0, []])
      }
    )
  })

  it.effect("hooks run again with their write after a conflict, which ends as Conflict if it persists", () => {
    let failures = 2
    let calls = 0
    return hosted(
      {
        after: async (user, _, { query }) => {
          calls++
          await query(insert, [user, "posted"])
          if (failures-- > 0) await query("do $$ begin raise exception using errcode = '40001'; end $$")
        }
      },
      async (host, user) => {
        assert.isUndefined(await errorOf(host.todos.create(user, { title: "a" })))
        assert.strictEqual(calls, 3)
        failures = Infinity
        const conflict = new Conflict({ reason: "concurrent-writes" })
        assert.deepStrictEqual(await errorOf(host.todos.create(user, { title: "b" })), conflict)
        assert.deepStrictEqual(await state(host, user), [1, ["posted"]])
      }
    )
  })

  it.effect("the caller gets an Unavailable that a hook throws unchanged", () => {
    const away = new Unavailable({ outcome: "not-applied" })
    return hosted({ before: () => Promise.reject(away) }, async (host, user) => {
      assert.deepStrictEqual(await errorOf(host.todos.create(user, { title: "a" })), away)
    })
  })

  it.effect("a hook cannot use its transaction after its end", () => {
    let late: (() => Promise<unknown>) | undefined
    return hosted(
      {
        after: (user, _, { query }) => {
          late ??= () => query(insert, [user, "late"])
        }
      },
      async (host, user) => {
        await host.todos.create(user, { title: "a" })
        assert.match(String(await rejection(late?.() ?? Promise.resolve())), /The transaction has ended/)
        assert.deepStrictEqual(await state(host, user), [1, []])
      }
    )
  })

  it.effect("hooks can write todos, and can count todos while no other write of the user changes the count", () => {
    const quota: PromisedHooks = {
      before: async (user, _, { refuse, todos }) => {
        const page = await todos.list(user, { limit: 1, count: true })
        if (page.ok && (page.value.total ?? 0) >= 5) refuse("quota", "Five todos are enough")
      },
      after: async (user, [done], { todos }) => {
        if (done?.kind === "list") await todos.create(user, { title: "first", listId: done.list.id })
      }
    }
    return hosted(quota, async (host, user) => {
      await host.lists.create(user, { name: "list" })
      const writes = await Promise.all(Array.from({ length: 12 }, (_, n) => host.todos.create(user, { title: `${n}` })))
      assert.lengthOf(
        writes.filter(({ ok }) => ok),
        4
      )
      assert.deepStrictEqual(await state(host, user), [5, []])
    })
  })

  it.effect("hooks run on a SqlClient of the host", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* hosted(
        { before: (_, __, { refuse }) => refuse("no", "No") },
        async ({ todos }, user) => {
          assert.deepInclude(await errorOf(todos.create(user, { title: "a" })), { _tag: "WriteRefused", code: "no" })
        },
        { sql } as never
      )
    })
  )

  it.effect("invalid hooks are refused at once", () =>
    Effect.sync(() => {
      const create = (hooks: object) => () => createTodos({ url: "postgres://a@localhost/b", hooks })
      assert.throws(create({ befor: () => {} }), /^hooks: there is no hook befor, only before and after/)
      assert.throws(create({ after: "no function" }), /^hooks: after must be a function/)
    })
  )
})
