import { assert, layer } from "@effect/vitest"
import {
  Accounts,
  Conflict,
  CurrentUser,
  Hooks,
  Lists,
  Services,
  Todos,
  type WriteDone,
  type WriteHooks,
  WriteRefused,
  type WriteRequest
} from "@todo/core"
import { TestDatabase } from "@todo/core/testing"
import { Cause, Effect, Exit, Fiber, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { Ran, onRecordedPool, range, waiting, whileHeld } from "../support/clients.ts"
import { asOwner, asSuperuser } from "../support/connections.ts"
import { connect } from "../support/host.ts"
import { newKey, under } from "../support/keys.ts"
import { asNewUser, live, newTodoId, query, tagOf } from "../support/suite.ts"

/** Hooks that a test can replace while they are in use. */
class Changeable {
  hooks: WriteHooks = {}
  readonly heard: Array<WriteRequest | WriteDone> = []
  readonly before = (requests: ReadonlyArray<WriteRequest>) =>
    Effect.suspend(() => {
      this.heard.push(...requests)
      return this.hooks.before?.(requests) ?? Effect.void
    })
  readonly after = (done: ReadonlyArray<WriteDone>) =>
    Effect.suspend(() => {
      this.heard.push(...done)
      return this.hooks.after?.(done) ?? Effect.void
    })
  /** Runs an effect with these hooks. Returns the requests and results that the hooks received. */
  readonly during = <A, E, R>(hooks: WriteHooks, self: Effect.Effect<A, E, R>) =>
    Effect.suspend(() => {
      this.hooks = hooks
      this.heard.length = 0
      return Effect.map(Effect.exit(self), (exit) => {
        this.hooks = {}
        return { exit, heard: [...this.heard] }
      })
    })
}

const host = new Changeable()
const database = Layer.unwrap(Effect.map(TestDatabase, ({ url }) => connect({ url, poolSize: 8 }))).pipe(
  Layer.provideMerge(TestDatabase.layer)
)
const services = Services.layer.pipe(Layer.provide(Layer.succeed(Hooks, host)), Layer.provideMerge(database))

/** Creates a table of the host for the names of written rows. */
const outbox = asOwner(
  Effect.andThen(
    query("create table if not exists public.outbox (owner text, what text, check (what <> 'forbidden'))"),
    query("grant select, insert on public.outbox to public")
  )
)

const nameOf = (done: WriteDone) => (done.kind === "todo" ? done.todo.title : done.list.name)

/** Inserts the names of the written rows into the table of the host. */
const post = Effect.map(
  SqlClient.SqlClient,
  (sql) => (done: ReadonlyArray<WriteDone>) =>
    Effect.gen(function* () {
      const { id } = yield* CurrentUser
      for (const each of done) yield* sql`insert into public.outbox values (${id}, ${nameOf(each)})`
    })
)

const posted = Effect.gen(function* () {
  const [sql, { id }] = [yield* SqlClient.SqlClient, yield* CurrentUser]
  return (yield* sql`select what from public.outbox where owner = ${id} order by what`.values).flat()
})

const state = Effect.gen(function* () {
  const [{ counts, revision }, rows] = [yield* Accounts.use(({ me }) => me), yield* posted]
  return { ...counts, revision, posted: rows }
})

type Write = Effect.Effect<unknown, unknown, CurrentUser>

const refusal = new WriteRefused({ code: "month-closed", message: "The month is closed" })
const refuse = () => Effect.fail(refusal)

layer(services, live)("hooks", (it) => {
  it.effect("hooks receive the requests and the results of each write", () =>
    Effect.gen(function* () {
      const [todos, lists] = [yield* Todos, yield* Lists]
      const heard = <A, E>(self: Effect.Effect<A, E, CurrentUser>) =>
        Effect.map(host.during({}, self), ({ exit, heard }) => {
          if (Exit.isFailure(exit)) assert.fail(Cause.pretty(exit.cause))
          return { value: exit.value, heard }
        })
      const list = yield* heard(lists.create({ name: "list" }))
      const listId = list.value.id
      assert.deepStrictEqual(list.heard, [
        { kind: "list", op: "create", id: listId, list: { name: "list" } },
        { kind: "list", op: "create", created: true, list: list.value }
      ])
      const due = { dateTime: "2026-11-23T09:00:00", timeZone: "Europe/Paris" }
      const asked = { title: "a", due, priority: "high", tags: ["x"], listId } as const
      const made = yield* heard(todos.create(asked, under(newKey())))
      const { id } = made.value
      assert.deepStrictEqual(made.heard, [
        { kind: "todo", op: "create", id, todo: { description: null, completed: false, ...asked } },
        { kind: "todo", op: "create", created: true, todo: made.value }
      ])
      const put = yield* heard(todos.put(id, { title: "b" }))
      assert.deepInclude(put.heard[0], { op: "put", id })
      assert.deepStrictEqual(put.heard[1], { kind: "todo", op: "put", created: false, todo: put.value.todo })
      const patch = { title: "c", description: null, due: { date: "2026-11-24" }, listId: null }
      const updated = yield* heard(todos.update(id, patch))
      assert.deepStrictEqual(updated.heard, [
        { kind: "todo", op: "update", id, patch },
        { kind: "todo", op: "update", created: false, todo: updated.value }
      ])
      assert.deepInclude((yield* heard(todos.complete(id))).heard[0], { op: "update", patch: { completed: true } })
      assert.deepInclude((yield* heard(todos.reopen(id))).heard[0], { op: "update", patch: { completed: false } })
      const batch = yield* heard(
        todos.batch([
          { op: "create", todo: { title: "d" } },
          { op: "update", id, patch: { due: null } },
          { op: "delete", id }
        ])
      )
      const [second] = batch.value
      assert.deepStrictEqual(
        batch.heard.map(({ kind, op }) => `${kind} ${op}`),
        range(2).flatMap(() => ["todo create", "todo update", "todo delete"])
      )
      assert.deepInclude(batch.heard[1], { id, patch: { due: null } })
      assert.deepStrictEqual(batch.heard[3], { kind: "todo", op: "create", created: true, todo: second } as WriteDone)
      const restored = yield* heard(todos.restore(id))
      assert.deepStrictEqual(restored.heard, [
        { kind: "todo", op: "restore", id },
        { kind: "todo", op: "restore", created: false, todo: restored.value }
      ])
      const to = { after: second?.id ?? newTodoId() }
      assert.deepStrictEqual((yield* heard(todos.move(id, to))).heard[0], { kind: "todo", op: "move", id, to })
      assert.deepStrictEqual((yield* heard(todos.delete(id))).heard[0], { kind: "todo", op: "delete", id })

      const other = (yield* lists.create({ name: "other" })).id
      const seen = yield* heard(
        Effect.all([
          lists.put(listId, { name: "b" }),
          lists.update(listId, { name: "c" }),
          lists.move(listId, { before: other }),
          lists.delete(listId, { todos: "keep" }),
          lists.restore(listId)
        ])
      )
      assert.deepStrictEqual(
        seen.heard.filter((heard) => "id" in heard),
        [
          { kind: "list", op: "put", id: listId, list: { name: "b" } },
          { kind: "list", op: "update", id: listId, patch: { name: "c" } },
          { kind: "list", op: "move", id: listId, to: { before: other } },
          { kind: "list", op: "delete", id: listId, todos: "keep" },
          { kind: "list", op: "restore", id: listId }
        ]
      )
      assert.lengthOf(seen.heard, 10)
    }).pipe(asNewUser)
  )

  it.effect("a write that a hook refuses fails with the error of the host, and stores nothing, not even the key", () =>
    Effect.gen(function* () {
      const [todos, lists] = [yield* Todos, yield* Lists]
      yield* outbox
      const { id } = yield* todos.create({ title: "a" })
      const key = newKey()
      const before = yield* state
      const writes: ReadonlyArray<Write> = [
        todos.create({ title: "b" }, under(key)),
        todos.put(newTodoId(), { title: "b" }),
        todos.update(id, { title: "b" }),
        todos.complete(id),
        todos.delete(id),
        todos.move(id, { before: id }, under(key)),
        todos.batch([{ op: "create", todo: { title: "b" } }], under(key)),
        lists.create({ name: "b" }, under(key))
      ]
      for (const write of writes) {
        const { exit, heard } = yield* host.during({ before: refuse }, write)
        assert.deepStrictEqual(exit, Exit.fail(refusal))
        assert.lengthOf(heard, 1)
      }
      assert.deepStrictEqual(yield* state, before)
      yield* todos.create({ title: "another body" }, under(key))
    }).pipe(asNewUser)
  )

  it.effect("rows that a hook inserts commit or roll back with the write", () =>
    Effect.gen(function* () {
      const [todos, lists] = [yield* Todos, yield* Lists]
      yield* outbox
      const after = yield* post
      yield* host.during({ after }, Effect.all([todos.create({ title: "a" }), lists.create({ name: "b" })]))
      const before = yield* state
      assert.deepStrictEqual(before.posted, ["a", "b"])

      const refused = yield* host.during(
        { after: (done) => Effect.andThen(after(done), refuse()) },
        todos.create({ title: "c" }, under(newKey()))
      )
      assert.deepStrictEqual(refused.exit, Exit.fail(refusal))
      assert.deepStrictEqual(yield* state, before)
      const { exit } = yield* host.during(
        { after },
        todos.batch([
          { op: "create", todo: { title: "c" } },
          { op: "create", todo: { title: "forbidden" } }
        ])
      )
      assert.isTrue(Exit.isFailure(exit) && Cause.hasDies(exit.cause), "an invalid statement is a defect")
      assert.deepStrictEqual(yield* state, before)
    }).pipe(asNewUser)
  )

  it.effect("hooks do not run after a failed write", () =>
    Effect.gen(function* () {
      const todos = yield* Todos
      yield* outbox
      const after = yield* post
      const { exit, heard } = yield* host.during({ after }, tagOf(todos.delete(newTodoId())))
      assert.deepStrictEqual(exit, Exit.succeed("TodoNotFound"))
      assert.lengthOf(heard, 1)
      assert.lengthOf((yield* host.during({}, Effect.exit(todos.create({ title: "" })))).heard, 0)
    }).pipe(asNewUser)
  )

  it.effect("hooks do not run for a repeated write under the same key", () =>
    Effect.gen(function* () {
      const todos = yield* Todos
      const create: Write = todos.create({ title: "a" }, under(newKey()))
      const batch: Write = todos.batch([{ op: "create", todo: { title: "a" } }], under(newKey()))
      for (const write of [create, batch]) {
        const first = yield* host.during({}, write)
        assert.lengthOf(first.heard, 2)
        assert.deepStrictEqual(yield* host.during({ before: refuse, after: refuse }, write), { ...first, heard: [] })
        // Of six concurrent writes five wait for the first one, and return its answer.
        const [key, title] = [newKey(), "at once"]
        const storm = Effect.forEach(range(6), () => todos.create({ title }, under(key)), { concurrency: 6 })
        assert.lengthOf((yield* host.during({}, storm)).heard, 2)
      }
    }).pipe(asNewUser)
  )

  it.effect("hooks do not run if the key was valid when the transaction began, and run if it had expired", () =>
    Effect.gen(function* () {
      const todos = yield* Todos
      const user = yield* CurrentUser
      const create = todos.create({ title: "a" }, under(newKey()))
      const first = yield* create
      const { exit, heard } = yield* whileHeld(user, (release) =>
        Effect.gen(function* () {
          const write = yield* Effect.forkChild(host.during({ before: refuse }, create))
          const [transaction] = yield* waiting.pipe(Effect.repeat({ until: ({ length }) => length > 0 }))
          // The key expires a millisecond after the transaction began, so it has expired by now.
          yield* asSuperuser(
            query(
              `update todo.idempotency_keys set created_at = $2::timestamptz - interval '24 hours' + interval '1 millisecond'
               where owner_id = $1`,
              [user.id, transaction?.since]
            )
          )
          yield* release
          return yield* Fiber.join(write)
        })
      )
      assert.deepStrictEqual([exit, heard], [Exit.succeed(first), []])
      const late = yield* host.during({ before: refuse }, create)
      assert.isTrue(Exit.isFailure(late.exit))
      assert.lengthOf(late.heard, 1)
    }).pipe(asNewUser)
  )

  it.effect("no concurrent write of the user changes a count in a hook, not even a first write", () =>
    Effect.gen(function* () {
      const todos = yield* Todos
      const quota: WriteHooks = {
        before: () =>
          Effect.gen(function* () {
            const { total = 0 } = yield* Effect.orDie(todos.list({ limit: 1, count: true }))
            // Gives concurrent writes time to count.
            yield* Effect.sleep("5 millis")
            if (total >= 5) return yield* new WriteRefused({ code: "quota", message: "Five todos are enough" })
          })
      }
      const write = (n: number) => Effect.exit(todos.create({ title: `${n}` }))
      const { exit } = yield* host.during(quota, Effect.forEach(range(16), write, { concurrency: 8 }))
      assert.lengthOf(Exit.isSuccess(exit) ? exit.value.filter(Exit.isSuccess) : [], 5)
      assert.strictEqual((yield* todos.list({ count: true })).total, 5)
    }).pipe(asNewUser)
  )

  it.effect(
    "hooks run again with their write after a serialization failure, which ends as Conflict if it persists",
    () =>
      Effect.gen(function* () {
        const todos = yield* Todos
        const sql = yield* SqlClient.SqlClient
        yield* outbox
        const after = yield* post
        let failures = 2
        const flaky: WriteHooks = {
          after: (done) =>
            Effect.andThen(
              after(done),
              Effect.suspend(() => (failures-- > 0 ? serializationFailure(sql) : Effect.void))
            )
        }
        const { exit, heard } = yield* host.during(flaky, todos.create({ title: "a" }))
        assert.isTrue(Exit.isSuccess(exit))
        assert.lengthOf(heard, 6)
        assert.deepStrictEqual(yield* posted, ["a"])

        failures = Infinity
        const given = yield* host.during(flaky, todos.create({ title: "b" }))
        assert.deepStrictEqual(given.exit, Exit.fail(new Conflict({ reason: "concurrent-writes" })))
        assert.lengthOf(given.heard, 12)
        // A transaction of the host is not repeated.
        const once = yield* host.during(flaky, sql.withTransaction(todos.create({ title: "b" })))
        assert.deepStrictEqual(once.exit, given.exit)
        assert.lengthOf(once.heard, 2)
        assert.deepStrictEqual(yield* posted, ["a"])
      }).pipe(asNewUser)
  )

  it.effect("hooks run in the transaction of the host, which can continue after a refused write", () =>
    Effect.gen(function* () {
      const todos = yield* Todos
      const sql = yield* SqlClient.SqlClient
      yield* outbox
      const after = yield* post
      const hooks: WriteHooks = {
        after: (done) =>
          Effect.andThen(after(done), done.some((each) => nameOf(each) === "refused") ? refuse() : Effect.void)
      }
      const around = Effect.gen(function* () {
        yield* todos.create({ title: "a" })
        yield* Effect.flip(todos.create({ title: "refused" }))
        yield* todos.create({ title: "b" })
      })
      yield* host.during(hooks, sql.withTransaction(Effect.andThen(around, Effect.fail("undone"))))
      assert.deepInclude(yield* state, { open: 0, revision: 0, posted: [] })
      yield* host.during(hooks, sql.withTransaction(around))
      assert.deepInclude(yield* state, { open: 2, revision: 2, posted: ["a", "b"] })
    }).pipe(asNewUser)
  )

  it.effect("hooks run as the user of the write, without todo.user_id, and can write todos", () =>
    Effect.gen(function* () {
      const [todos, lists, sql] = [yield* Todos, yield* Lists, yield* SqlClient.SqlClient]
      const seen: Array<unknown> = []
      const look = Effect.gen(function* () {
        const [row] = yield* sql`select current_setting('todo.user_id', true)`.values
        seen.push([(yield* CurrentUser).id, row?.[0]])
      })
      const hooks: WriteHooks = {
        before: () => look,
        after: ([done]) =>
          Effect.andThen(look, done?.kind === "list" ? Effect.orDie(todos.create({ title: "first" })) : Effect.void)
      }
      const { id } = yield* CurrentUser
      yield* host.during(hooks, lists.create({ name: "a" }))
      assert.deepStrictEqual(
        seen.map((each) => JSON.stringify(each)),
        range(4).map(() => JSON.stringify([id, ""]))
      )
      assert.deepInclude(yield* Accounts.use(({ me }) => me), { revision: 2 })
    }).pipe(asNewUser)
  )
})

const serializationFailure = (sql: SqlClient.SqlClient) =>
  Effect.asVoid(sql`do $$ begin raise exception using errcode = '40001'; end $$`)

const ran = new Ran()
layer(onRecordedPool(ran), live)("without hooks", (it) => {
  it.effect("a write is one statement", () =>
    Effect.gen(function* () {
      const todos = yield* Todos
      yield* todos.create({ title: "the first write also creates the user" })
      const before = ran.texts.length
      yield* todos.create({ title: "a" }, under(newKey()))
      assert.lengthOf(ran.texts.slice(before), 1)
    }).pipe(asNewUser)
  )
})
