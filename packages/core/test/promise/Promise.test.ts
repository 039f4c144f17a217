import { assert, layer } from "@effect/vitest"
import { Accounts, Changes, Conflict, Lists, type LiveChange, Services, Todos, Unavailable } from "@todo/core"
import { createTodos, type TodosForPromises, type TodosOptions } from "@todo/core/promise"
import { newUser, TestDatabase } from "@todo/core/testing"
import { Effect, Redacted } from "effect"
import { SqlClient, SqlError } from "effect/sql"
import { asOwner, asSuperuser } from "../support/connections.ts"
import { layerDatabase } from "../support/host.ts"
import { live, newTodoId, query } from "../support/suite.ts"

/** Runs a test with promises, as a host would write it, on the database of the suite. */
const hosted = (
  run: (todos: TodosForPromises, user: string, url: string) => Promise<void>,
  options: Partial<TodosOptions> = {}
) =>
  Effect.gen(function* () {
    const { url } = yield* TestDatabase
    const given = { url: Redacted.value(url), poolSize: 4, ...options }
    const todos = createTodos(given)
    yield* Effect.ensuring(
      Effect.promise(() => run(todos, newUser().id, given.url)),
      Effect.promise(todos.close)
    )
  })

/** The value of a call that must succeed. */
const value = async <A, E>(outcome: Promise<{ ok: true; value: A } | { ok: false; error: E }>): Promise<A> => {
  const ended = await outcome
  if (!ended.ok) throw new Error(JSON.stringify(ended.error))
  return ended.value
}

const errorOf = async <E>(outcome: Promise<{ ok: true; value: unknown } | { ok: false; error: E }>) => {
  const ended = await outcome
  return ended.ok ? undefined : ended.error
}

const rejection = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => error
  )

layer(layerDatabase, live)("createTodos", (it) => {
  it.effect("every method exists, takes the user first, and takes ids as plain strings", () =>
    hosted(async ({ accounts, changes, lists, todos }, user) => {
      const list = await value(lists.create(user, { name: "list" }, { idempotencyKey: "one" }))
      const { id } = await value(todos.create(user, { title: "a", listId: `${list.id}` }, { idempotencyKey: "two" }))
      const plain: string = id
      assert.strictEqual(
        (await value(todos.create(user, { title: "a", listId: list.id }, { idempotencyKey: "two" }))).id,
        id
      )
      await value(todos.update(user, plain, { title: "b" }, { ifRevision: 2 }))
      await value(todos.update(user, plain, { title: "b" }, { ifRevision: [2, 3] }))
      await value(todos.update(user, plain, { title: "b" }, { ifRevision: "*" }))
      await value(todos.complete(user, plain))
      await value(todos.reopen(user, plain))
      const [other] = await value(todos.batch(user, [{ op: "create", todo: { title: "c" } }]))
      await value(todos.move(user, plain, { after: `${other?.id}` }))
      assert.isFalse((await value(todos.put(user, plain, { title: "d" }))).created)
      await value(todos.delete(user, plain))
      await value(todos.restore(user, plain))
      await value(lists.put(user, list.id, { name: "b" }))
      await value(lists.update(user, list.id, { name: "c" }))
      await value(lists.move(user, list.id, { after: (await value(lists.create(user, { name: "d" }))).id }))
      await value(lists.delete(user, list.id, { todos: "keep" }))
      await value(lists.restore(user, list.id))
      const names = (await value(lists.list(user, {}))).items.map(({ name }) => name)
      assert.deepStrictEqual(names, ["d", "c"])
      assert.strictEqual((await value(lists.get(user, list.id))).name, "c")
      const page = await value(todos.list(user, { q: "d", limit: 1 }))
      assert.deepStrictEqual([page.items.map(({ id }) => id), page.nextCursor], [[id], null])
      assert.strictEqual((await value(todos.get(user, plain))).title, "d")
      assert.lengthOf((await value(changes.page(user, {}))).changes, 4)
      assert.strictEqual((await value(accounts.me(user))).revision, 16)
      assert.isFalse(await value(accounts.isDisabled(user)))
    })
  )

  it.effect("createTodos has every method of the services", () =>
    Effect.gen(function* () {
      const services = {
        todos: yield* Todos,
        lists: yield* Lists,
        accounts: yield* Accounts,
        changes: yield* Changes
      }
      const names = (groups: typeof services | TodosForPromises) =>
        (["todos", "lists", "accounts", "changes"] as const).map((group) => Object.keys(groups[group]).toSorted())
      const sql = yield* SqlClient.SqlClient
      assert.deepStrictEqual(names(createTodos({ sql })), names(services))
    }).pipe(Effect.provide(Services.layer))
  )

  it.effect("ids in upper case are accepted everywhere, and other forms are refused", () =>
    hosted(async ({ lists, todos }, user) => {
      const list = await value(lists.create(user, { name: "a" }))
      const listId = list.id.toUpperCase()
      const [a, b] = [
        await value(todos.create(user, { title: "a", listId })),
        await value(todos.create(user, { title: "b" }))
      ]
      assert.strictEqual(a.listId, list.id)
      assert.strictEqual((await value(todos.get(user, a.id.toUpperCase()))).id, a.id)
      assert.deepStrictEqual((await value(todos.list(user, { listId }))).items, [a])
      assert.strictEqual((await value(todos.move(user, a.id.toUpperCase(), { after: b.id.toUpperCase() }))).id, a.id)
      const operations = [{ op: "update", id: b.id.toUpperCase(), patch: { listId } }] as const
      assert.strictEqual((await value(todos.batch(user, operations)))[0]?.listId, list.id)
      const own = newTodoId()
      const { todo } = await value(todos.put(user, own.toUpperCase(), { title: "c" }))
      assert.strictEqual(todo.id, own)
      for (const id of [`{${a.id}}`, `urn:uuid:${a.id}`, a.id.replaceAll("-", "")]) {
        assert.strictEqual((await errorOf(todos.get(user, id)))?._tag, "InvalidInput")
      }
    })
  )

  it.effect("invalid arguments are typed errors, even if TypeScript does not check them", () =>
    hosted(async ({ accounts, lists, todos }, user) => {
      const { id } = await value(todos.create(user, { title: "a" }))
      const gone = await errorOf(todos.get(user, newTodoId()))
      assert.strictEqual(gone?._tag, "TodoNotFound")
      const stale = await errorOf(todos.delete(user, id, { ifRevision: 7 }))
      assert.strictEqual(stale?._tag === "RevisionMismatch" ? stale.current : undefined, 1)
      const pointers = async (call: Promise<{ ok: true; value: unknown } | { ok: false; error: { _tag: string } }>) => {
        const error = await errorOf(call)
        assert.strictEqual(error?._tag, "InvalidInput")
        const { errors } = error as unknown as { errors: ReadonlyArray<{ pointer: string }> }
        return [...new Set(errors.map(({ pointer }) => pointer))]
      }
      assert.deepStrictEqual(await pointers(todos.create(user, { title: "" })), ["/title"])
      assert.deepStrictEqual(await pointers(todos.get(user, "'; drop table todos")), ["/id"])
      assert.deepStrictEqual(await pointers(lists.delete(user, "no id")), ["/id"])
      assert.deepStrictEqual(await pointers(accounts.me("")), ["/user"])
      assert.deepStrictEqual(await pointers(accounts.me(undefined as never)), ["/user"])
      const key = { idempotencyKey: "a key" }
      assert.deepStrictEqual(await pointers(todos.create(user, { title: "a" }, key)), ["/options/idempotencyKey"])
      assert.deepStrictEqual(await pointers(lists.delete(user, id, { todos: "all" as never })), ["/options/todos"])
      for (const ifRevision of ["7", '"7"', "", -1, 1.5, Number.NaN, null, ["*"], [1, "2"], { 0: 1 }, true]) {
        const [pointer = ""] = await pointers(todos.delete(user, id, { ifRevision: ifRevision as never }))
        assert.match(pointer, /^\/options\/ifRevision(\/[01])?$/)
      }
      assert.includeMembers(await pointers(todos.move(user, id, { after: "b" })), ["/after"])
    })
  )

  it.effect("an unreachable database is Unavailable, and an invalid option throws", () =>
    Effect.promise(async () => {
      const away = createTodos({ url: "postgres://nobody@127.0.0.1:1/nothing" })
      assert.deepStrictEqual(await errorOf(away.todos.list("alice", {})), new Unavailable({ outcome: "not-applied" }))
      await away.close()
      assert.instanceOf(await rejection(away.todos.list("alice", {})), Error)
      const misspelt = { url: "postgres://a:secret@b/c?sslmode=requre" }
      assert.throws(() => createTodos(misspelt), /^url: sslmode: must be one of disable, allow, prefer/)
      for (const wrong of [{ url: "" }, { url: "mysql://secret@host/db" }, { url: "postgres://a@b/c", schema: 'x"' }]) {
        assert.throws(() => createTodos(wrong), /URL must be like|schema name/)
        assert.throws(() => createTodos(wrong), /^(?!.*(secret|x\\"))/s)
      }
      for (const sql of [undefined, null, {}, { query: () => {} }, "postgres://a@b/c", () => {}]) {
        assert.throws(() => createTodos({ sql: sql as never }), /^sql must be a SqlClient of Effect/)
      }
    })
  )

  it.effect("the error says what to run if the schema is missing", () =>
    hosted(
      async ({ lists, todos }, user) => {
        for (const said of [
          await rejection(todos.list(user, {})),
          await rejection(todos.create(user, { title: "a" })),
          await rejection(lists.list(user, {}))
        ]) {
          assert.match(String(said), /todo-admin migrate up/)
        }
      },
      { schema: "nowhere" }
    )
  )

  it.effect("a failed statement of the host is its SqlError, without a hint about our schema", () =>
    hosted(async ({ transaction }, user) => {
      const error = await rejection(
        transaction(async (within) => {
          await within.query("select * from no_such_table")
          return within.todos.list(user, {})
        })
      )
      assert.isTrue(SqlError.isSqlError(error))
    })
  )

  it.effect("close leaves a SqlClient of the host open", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const user = newUser().id
      yield* Effect.promise(async () => {
        await using host = createTodos({ sql })
        await value(host.todos.create(user, { title: "a" }))
      })
      assert.deepStrictEqual(yield* sql`select 1 as one`, [{ one: 1 }])
    })
  )

  it.effect("migrate upgrades the schema as the owner", () =>
    Effect.gen(function* () {
      const { ownerUrl } = yield* TestDatabase
      const owner = createTodos({ url: Redacted.value(ownerUrl), schema: "another" })
      yield* Effect.promise(async () => {
        assert.isNotEmpty((await value(owner.migrate())).migrations)
        assert.deepStrictEqual(await value(owner.migrate()), { migrations: [], functions: [] })
        await value(owner.todos.create("alice", { title: "a" }))
        await owner.close()
      })
      assert.lengthOf(yield* asSuperuser(query("select 1 from another.todos")), 1)
    })
  )
})

layer(layerDatabase, live)("a transaction of createTodos", (it) => {
  const orders = asOwner(
    Effect.andThen(
      query("create table if not exists public.orders (what text check (what <> ''))"),
      query("grant select, insert on public.orders to public")
    )
  )
  /** Makes the order "conflict" fail at the commit, like a serialization failure. */
  const conflicting = asOwner(
    Effect.andThen(
      query(`create function public.conflicting() returns trigger language plpgsql as $$ begin
  if new.what = 'conflict' then raise exception using errcode = '40001'; end if;
  return null;
end $$`),
      query(`create constraint trigger conflicting after insert on public.orders deferrable initially deferred
for each row execute function public.conflicting()`)
    )
  )
  const insert = "insert into public.orders values ($1)"

  it.effect("a transaction commits todos of several users and rows of the host together", () =>
    Effect.andThen(
      orders,
      hosted(async ({ todos, transaction }, user) => {
        const other = newUser().id
        const made = await value(
          transaction(async (within) => {
            await within.query(insert, [user])
            await value(within.todos.create(other, { title: "for another" }))
            const made = await within.todos.create(user, { title: "a" })
            assert.lengthOf((await value(within.todos.list(user, {}))).items, 1)
            return made
          })
        )
        assert.strictEqual((await value(todos.get(user, made.id))).title, "a")
        assert.lengthOf((await value(todos.list(other, {}))).items, 1)
      })
    )
  )

  it.effect(
    "a transaction that returns a failure, rejects or has a failed statement stores nothing, and cannot be used later",
    () =>
      Effect.andThen(
        orders,
        hosted(async ({ accounts, todos, transaction }, user) => {
          const begin = async (within: Parameters<Parameters<typeof transaction>[0]>[0]) => {
            await within.query(insert, [`of ${user}`])
            await value(within.todos.create(user, { title: "a" }, { idempotencyKey: "key" }))
          }
          const failed = await transaction(async (within) => {
            await begin(within)
            return within.todos.complete(user, newTodoId())
          })
          assert.strictEqual(failed.ok ? undefined : failed.error._tag, "TodoNotFound")
          const boom = new Error("the host is broken")
          const rejected = transaction(async (within) => {
            await begin(within)
            throw boom
          })
          assert.strictEqual(await rejection(rejected), boom)
          const wrong = transaction(async (within) => {
            await begin(within)
            await within.query(insert, [""])
            return { ok: true, value: undefined }
          })
          assert.deepInclude(await rejection(wrong), { _tag: "SqlError" })
          assert.deepInclude(await value(accounts.me(user)), { revision: 0 })
          const kept = await value(
            transaction(async (within) => ({
              ok: true,
              value: await within.query("select 1 from public.orders where what = $1", [`of ${user}`])
            }))
          )
          assert.deepStrictEqual(kept, [])
          await value(todos.create(user, { title: "another body" }, { idempotencyKey: "key" }))

          let ended: Parameters<typeof begin>[0] | undefined
          await value(transaction(async (within) => ((ended = within), { ok: true, value: undefined })))
          assert.instanceOf(await rejection(ended?.todos.create(user, { title: "late" }) ?? Promise.resolve()), Error)
          assert.strictEqual((await value(todos.list(user, { count: true }))).total, 1)
        })
      )
  )

  it.effect("a conflict at the commit is returned as Conflict, and the function runs once", () =>
    Effect.andThen(
      Effect.andThen(orders, conflicting),
      hosted(async ({ accounts, transaction }, user) => {
        let runs = 0
        const ended = await transaction(async (within) => {
          runs++
          await within.query(insert, ["conflict"])
          return within.todos.create(user, { title: "a" })
        })
        const error = new Conflict({ reason: "concurrent-writes" })
        assert.deepStrictEqual([ended, runs], [{ ok: false, error }, 1])
        assert.strictEqual((await value(accounts.me(user))).revision, 0)
      })
    )
  )
})

layer(layerDatabase, live)("a stream of createTodos", (it) => {
  it.effect("a stream continues from a cursor with new changes until its loop is left", () =>
    hosted(async ({ changes, todos }, user) => {
      const first = await value(todos.create(user, { title: "a" }))
      const got: Array<LiveChange> = []
      for await (const change of changes.stream(user)) {
        got.push(change)
        if (got.length === 2) break
        await value(todos.update(user, first.id, { title: "b" }))
      }
      assert.deepStrictEqual(
        got.map(({ change }) => change.revision),
        [1, 2]
      )
      await value(todos.create(user, { title: "c" }))
      for await (const { change } of changes.stream(user, { since: got[1]?.cursor ?? "" })) {
        assert.strictEqual(change.revision, 3)
        break
      }
    })
  )

  it.effect("a stream ends with the reason of its signal, even before it begins, and with typed errors", () =>
    hosted(async ({ changes, todos }, user) => {
      const reason = new Error("the page was closed")
      const read = async (signal: AbortSignal, onChange: () => void) => {
        for await (const _ of changes.stream(user, {}, { signal })) onChange()
      }
      await value(todos.create(user, { title: "a" }))
      const controller = new AbortController()
      assert.strictEqual(await rejection(read(controller.signal, () => controller.abort(reason))), reason)
      assert.strictEqual(await rejection(read(AbortSignal.abort(reason), () => assert.fail("it began"))), reason)
      const wrong = changes.stream(user, { since: "no cursor" })[Symbol.asyncIterator]()
      assert.deepInclude(await rejection(wrong.next()), { _tag: "InvalidCursor" })
      const nobody = changes.stream("")[Symbol.asyncIterator]()
      assert.deepInclude(await rejection(nobody.next()), { _tag: "InvalidInput" })
    })
  )

  it.effect("close ends a stream", () =>
    hosted(async ({ changes, close }, user) => {
      const next = changes.stream(user)[Symbol.asyncIterator]().next()
      await Promise.resolve()
      await close()
      assert.isNotNull(await rejection(next))
    })
  )
})
