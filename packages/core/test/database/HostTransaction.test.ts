import { assert, layer } from "@effect/vitest"
import { Accounts, Changes, Conflict, CurrentUser, Lists, Todos, Unavailable } from "@todo/core"
import { newUser } from "@todo/core/testing"
import { Deferred, Effect, Exit, Fiber } from "effect"
import { SqlClient, SqlError } from "effect/sql"
import { ownedTables } from "../../src/schema/tables.ts"
import { onPool, range } from "../support/clients.ts"
import { asOwner, asSuperuser } from "../support/connections.ts"
import { following, until } from "../support/following.ts"
import { newKey, under } from "../support/keys.ts"
import { asNewUser, ids, live, newTodoId, query } from "../support/suite.ts"

/** Every row of the current user, in every table. */
const everything = Effect.gen(function* () {
  const { id } = yield* CurrentUser
  const rows = ownedTables.map(
    ({ name, owner }) =>
      `(select coalesce(jsonb_agg(t order by t::text), '[]') from todo.${name} t where ${owner} = $1)`
  )
  const [found] = yield* asSuperuser(
    query<{ rows: unknown }>(`select jsonb_build_array(${rows.join(", ")}) as rows`, [id])
  )
  return found?.rows
})

const setting = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const [row] = yield* sql`select current_setting('todo.user_id', true)`.values
  return row?.[0]
})

/** Two todos, one in the trash, and a list with one of them. */
const fixture = Effect.gen(function* () {
  const [todos, lists] = [yield* Todos, yield* Lists]
  const list = yield* lists.create({ name: "list" })
  const a = yield* todos.create({ title: "a", listId: list.id })
  const b = yield* todos.create({ title: "b" })
  const trashed = yield* todos.create({ title: "c" })
  yield* todos.delete(trashed.id)
  return { todos, lists, list: list.id, a: a.id, b: b.id, trashed: trashed.id }
})
type Fixture = Effect.Success<typeof fixture>

/** Methods that a host may call. Each call changes something. */
const calls: Record<string, (fixture: Fixture) => Effect.Effect<unknown, unknown, CurrentUser>> = {
  create: ({ todos }) => todos.create({ title: "new" }),
  "create under a key": ({ todos }) => todos.create({ title: "new" }, under(newKey())),
  put: ({ todos }) => todos.put(newTodoId(), { title: "new" }),
  update: ({ a, todos }) => todos.update(a, { title: "changed", description: "more words" }),
  move: ({ a, b, todos }) => todos.move(a, { after: b }, under(newKey())),
  delete: ({ a, todos }) => todos.delete(a),
  restore: ({ todos, trashed }) => todos.restore(trashed, under(newKey())),
  batch: ({ a, b, todos }) =>
    todos.batch(
      [
        { op: "create", todo: { title: "new" } },
        { op: "update", id: a, patch: { title: "changed" } },
        { op: "delete", id: b }
      ],
      under(newKey())
    ),
  "delete of a list with its todos": ({ list, lists }) => lists.delete(list, { todos: "trash" }),
  "create of a list": ({ lists }) => lists.create({ name: "new" }, under(newKey()))
}

type Host = Effect.Effect<unknown, unknown, CurrentUser>

const fails = Effect.fail("the host failed" as const)

/** Transactions of a host around a call, by the point at which each fails. */
const points: Record<string, (call: Host, sql: SqlClient.SqlClient, fixture: Fixture) => Host> = {
  "before the call": (call, sql) => sql.withTransaction(Effect.andThen(fails, call)),
  "after the call": (call, sql) => sql.withTransaction(Effect.andThen(call, fails)),
  "between two calls": (call, sql, { todos }) =>
    sql.withTransaction(Effect.andThen(todos.create({ title: "first" }), Effect.andThen(fails, call))),
  "after two calls": (call, sql, { todos }) =>
    sql.withTransaction(Effect.andThen(call, Effect.andThen(todos.create({ title: "second" }), fails))),
  "in a later call": (call, sql, { todos }) => sql.withTransaction(Effect.andThen(call, todos.delete(newTodoId()))),
  "with a defect": (call, sql) => sql.withTransaction(Effect.andThen(call, Effect.die("the host is broken"))),
  "with an interruption": (call, sql) => sql.withTransaction(Effect.andThen(call, Effect.interrupt)),
  "with a wrong statement": (call, sql) => sql.withTransaction(Effect.andThen(call, sql`select 1 / 0`)),
  "at its commit": (call, sql) =>
    sql.withTransaction(Effect.andThen(call, sql`insert into public.orders values (1, 404)`)),
  "outside of a nested one": (call, sql) =>
    sql.withTransaction(Effect.andThen(sql.withTransaction(sql.withTransaction(call)), fails)),
  "within a nested one": (call, sql) =>
    sql.withTransaction(Effect.exit(sql.withTransaction(Effect.andThen(call, fails)))),
  "when its connection is lost": (call, sql) =>
    sql.withTransaction(Effect.andThen(call, sql`select pg_terminate_backend(pg_backend_pid())`))
}

/** A table of the host with a foreign key that PostgreSQL checks at the commit. */
const orders = asOwner(
  Effect.andThen(
    query("create table public.orders (id int primary key, parent int references public.orders initially deferred)"),
    query("grant select, insert on public.orders to public")
  )
)

// The pool has one connection, so a call outside of the transaction would wait forever.
layer(onPool(1), live)("a transaction of the host that fails", (it) => {
  it.effect.each(Object.entries(calls))(
    "a failed transaction around a %s rolls it back, at every point of failure",
    ([, call]) =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        yield* Effect.ignore(orders)
        const given = yield* fixture
        const { nextCursor } = yield* Changes.use((changes) => changes.page({}))
        const { got } = yield* following(nextCursor)
        const before = yield* everything
        for (const [point, around] of Object.entries(points)) {
          const exit = yield* Effect.exit(around(call(given), sql, given))
          assert.strictEqual(Exit.isFailure(exit), point !== "within a nested one", point)
          assert.deepStrictEqual(yield* everything, before, point)
          assert.include([null, ""], yield* setting, point)
        }
        yield* sql.withTransaction(call(given))
        assert.notDeepEqual(yield* everything, before)
        const { changes } = yield* Changes.use((changes) => changes.page({ since: nextCursor }))
        yield* until(() => got.length >= changes.length)
        assert.deepStrictEqual(
          got.map(({ change }) => change),
          changes
        )
        assert.isAtMost(changes[0]?.revision ?? 0, 6)
      }).pipe(asNewUser, Effect.scoped)
  )
})

layer(onPool(8), live)("in a transaction of the host", (it) => {
  it.effect("a failed nested transaction rolls back only its own writes", () =>
    Effect.gen(function* () {
      const todos = yield* Todos
      const sql = yield* SqlClient.SqlClient
      const key = newKey()
      yield* sql.withTransaction(
        Effect.gen(function* () {
          yield* todos.create({ title: "a" })
          yield* Effect.flip(
            sql.withTransaction(Effect.andThen(todos.create({ title: "undone" }, under(key)), Effect.fail("nested")))
          )
          yield* todos.create({ title: "b" }, under(key))
        })
      )
      const { items } = yield* todos.list({})
      assert.deepStrictEqual(
        items.map(({ revision, title }) => [title, revision]),
        [
          ["a", 1],
          ["b", 2]
        ]
      )
    }).pipe(asNewUser)
  )

  it.effect("reads see the transaction's writes, and other transactions do not", () =>
    Effect.gen(function* () {
      const [todos, changes, accounts] = [yield* Todos, yield* Changes, yield* Accounts]
      const sql = yield* SqlClient.SqlClient
      const look = Effect.all([
        Effect.map(todos.list({ count: true }), ({ items, total }) => [ids(items), total]),
        Effect.map(changes.page({}), (page) => ids(page.changes)),
        Effect.map(accounts.me, ({ counts, revision }) => [counts.open, revision])
      ])
      const [written, looked] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      const host = yield* Effect.gen(function* () {
        const { id } = yield* todos.create({ title: "a" })
        const within = yield* Effect.all([look, Effect.map(todos.get(id), (todo) => todo.id)])
        yield* Deferred.succeed(written, undefined)
        yield* Deferred.await(looked)
        return { id, within }
      }).pipe(sql.withTransaction, Effect.forkChild)
      yield* Deferred.await(written)
      assert.deepStrictEqual(yield* look, [[[], 0], [], [0, 0]])
      yield* Deferred.succeed(looked, undefined)
      const { id, within } = yield* Fiber.join(host)
      assert.deepStrictEqual(within, [[[[id], 1], [id], [1, 1]], id])
      assert.deepStrictEqual(yield* look, within[0])
    }).pipe(asNewUser)
  )

  it.effect("several users stay apart, in sequence and concurrently", () =>
    Effect.gen(function* () {
      const todos = yield* Todos
      const sql = yield* SqlClient.SqlClient
      const users = range(8).map(newUser)
      const asEach = <A, E>(self: (n: number) => Effect.Effect<A, E, CurrentUser>, concurrency: number) =>
        Effect.forEach(users, (user, n) => Effect.provideService(self(n), CurrentUser, user), { concurrency })
      for (const concurrency of [1, 8]) {
        const after = yield* sql.withTransaction(
          Effect.andThen(
            asEach((n) => todos.create({ title: `${n}` }), concurrency),
            setting
          )
        )
        assert.strictEqual(after, "")
      }
      const found = yield* sql.withTransaction(asEach(() => todos.list({}), 8))
      assert.deepStrictEqual(
        found.map(({ items }) => items.map(({ title }) => title)),
        range(8).map((n) => [`${n}`, `${n}`])
      )
    })
  )

  it.effect("todo.user_id is set for the statement of a call only, and then has the host's value again", () =>
    Effect.gen(function* () {
      const todos = yield* Todos
      const sql = yield* SqlClient.SqlClient
      const outcomes = yield* sql.withTransaction(
        Effect.gen(function* () {
          const before = yield* setting
          const { id } = yield* todos.create({ title: "a" })
          const seen = [yield* setting]
          for (const isLocal of [true, false]) {
            yield* sql`select set_config('todo.user_id', 'of the host', ${isLocal})`
            yield* todos.get(id)
            seen.push(yield* setting)
            yield* Effect.flip(todos.get(newTodoId()))
            seen.push(yield* setting)
            yield* todos.update(id, { title: `${isLocal}` })
            seen.push(yield* setting)
            yield* Effect.flip(todos.delete(newTodoId()))
            seen.push(yield* setting)
            yield* Effect.all([todos.list({}), todos.create({ title: "b" }), todos.list({})], { concurrency: 3 })
            seen.push(yield* setting)
          }
          yield* sql`select set_config('todo.user_id', '', false)`
          return { before, rows: yield* sql`select id from todo.todos`, seen }
        })
      )
      assert.include([null, ""], outcomes.before)
      assert.deepStrictEqual(outcomes.seen, ["", ...range(10).map(() => "of the host")])
      assert.deepStrictEqual(outcomes.rows, [])
    }).pipe(asNewUser)
  )

  it.effect("PostgreSQL resets todo.user_id if the statement fails, under every plan", () =>
    Effect.gen(function* () {
      const todos = yield* Todos
      const sql = yield* SqlClient.SqlClient
      const switches = ["nestloop", "hashjoin", "mergejoin", "material", "memoize", "indexscan", "seqscan"]
      yield* raising
      for (const off of [[], ...switches.map((name) => [name]), switches]) {
        const { id } = newUser()
        yield* sql
          .withTransaction(
            Effect.gen(function* () {
              for (const name of off) yield* sql.unsafe(`set local enable_${name} = off`)
              yield* sql`select set_config('todo.user_id', 'of the host', true)`
              assert.deepStrictEqual((yield* todos.list({})).items, [])
              const first = yield* todos.create({ title: "a" })
              const second = yield* todos.create({ title: "b" })
              const failure = yield* Effect.flip(sql.withTransaction(todos.create({ title: "raise 55P03" })))
              assert.deepInclude(failure, { _tag: "Unavailable", outcome: "not-applied" })
              assert.deepStrictEqual(ids((yield* todos.list({})).items), [first.id, second.id])
              assert.strictEqual(yield* setting, "of the host")
            })
          )
          .pipe(Effect.provideService(CurrentUser, { id }))
      }
    })
  )

  it.effect("a conflict reaches the host at once as a typed error, and so do the statements after it", () =>
    Effect.gen(function* () {
      const todos = yield* Todos
      const sql = yield* SqlClient.SqlClient
      yield* raising
      for (const code of ["40001", "40P01"]) {
        const attempt = sql.withTransaction(todos.create({ title: `raise ${code}` }))
        assert.deepStrictEqual(yield* Effect.flip(attempt), new Conflict({ reason: "concurrent-writes" }))
      }
      const deaf = Effect.gen(function* () {
        yield* Effect.flip(todos.create({ title: "raise 40001" }))
        return [yield* Effect.flip(todos.create({ title: "b" })), yield* Effect.flip(todos.list({}))]
      })
      const heard: Array<unknown> = []
      const committed = yield* Effect.flip(sql.withTransaction(Effect.map(deaf, (errors) => heard.push(...errors))))
      assert.deepStrictEqual(
        heard,
        range(2).map(() => new Unavailable({ outcome: "not-applied" }))
      )
      assert.isTrue(SqlError.isSqlError(committed))
      assert.deepStrictEqual((yield* todos.list({})).items, [])
    }).pipe(asNewUser)
  )

  it.effect("concurrent transactions that write for one user do not deadlock, and revisions have no gaps", () =>
    Effect.gen(function* () {
      const { a, b, lists, todos } = yield* fixture
      const sql = yield* SqlClient.SqlClient
      const host = (n: number) =>
        sql.withTransaction(
          Effect.gen(function* () {
            const [first, second] = n % 2 === 0 ? [a, b] : [b, a]
            yield* todos.update(first, { title: `${n}` })
            yield* lists.create({ name: `${n}` }, under(newKey()))
            yield* todos.move(first, { after: second })
            yield* todos.batch([
              { op: "update", id: second, patch: { title: `${n}` } },
              { op: "create", todo: { title: `${n}` } }
            ])
            if (n % 3 === 0) return yield* Effect.fail("undone" as const)
          })
        )
      const exits = yield* Effect.forEach(range(40), (n) => Effect.exit(host(n)), { concurrency: 8 })
      assert.deepStrictEqual(
        exits.flatMap((exit, n) => (Exit.isFailure(exit) ? [n] : [])),
        range(40).filter((n) => n % 3 === 0)
      )
      const { changes } = yield* Changes.use((changes) => changes.page({ limit: 500 }))
      const revisions = changes.map(({ revision }) => revision)
      assert.strictEqual(new Set(revisions).size, revisions.length)
      const { counts, revision } = yield* Accounts.use(({ me }) => me)
      assert.deepStrictEqual([counts.open, counts.lists], [2 + 26, 1 + 26])
      assert.strictEqual(revision, revisions.at(-1))
    }).pipe(asNewUser)
  )

  it.effect("serializable transactions get Conflict, and no write is lost if the host repeats them", () =>
    Effect.gen(function* () {
      const todos = yield* Todos
      const sql = yield* SqlClient.SqlClient
      let again = 0
      const host = (n: number) =>
        Effect.gen(function* () {
          const { total } = yield* todos.list({ limit: 1, count: true })
          yield* todos.create({ title: `${total}` }, under(newKey()))
          yield* todos.batch([{ op: "create", todo: { title: `b${n}` } }])
        }).pipe(
          sql.withTransaction,
          Effect.provideService(SqlClient.BeginTransaction, "begin isolation level serializable"),
          Effect.retry({
            while: (error) => {
              again++
              return (
                error._tag === "Conflict" || (error._tag === "SqlError" && error.reason._tag === "SerializationError")
              )
            }
          })
        )
      yield* Effect.forEach(range(24), host, { concurrency: 4 })
      const { items } = yield* todos.list({ limit: 200 })
      const counted = items.map(({ title }) => title).filter((title) => !title.startsWith("b"))
      assert.deepStrictEqual(
        counted,
        range(24).map((n) => `${2 * n}`)
      )
      assert.isAbove(again, 0)
    }).pipe(asNewUser)
  )

  it.effect("of two transactions that lock two users in opposite orders, one commits and one gets Conflict", () =>
    Effect.gen(function* () {
      const todos = yield* Todos
      const sql = yield* SqlClient.SqlClient
      const [one, other] = [newUser(), newUser()]
      const create = (user: typeof one) => Effect.provideService(todos.create({ title: "a" }), CurrentUser, user)
      yield* Effect.all([create(one), create(other)])
      const ready = yield* Effect.forEach([0, 1], () => Deferred.make<void>())
      const host = (n: 0 | 1) =>
        sql.withTransaction(
          Effect.gen(function* () {
            yield* create(n === 0 ? one : other)
            yield* Deferred.succeed(ready[n] as Deferred.Deferred<void>, undefined)
            yield* Deferred.await(ready[1 - n] as Deferred.Deferred<void>)
            yield* create(n === 0 ? other : one)
          })
        )
      const exits = yield* Effect.all([Effect.exit(host(0)), Effect.exit(host(1))], { concurrency: 2 })
      const failed: ReadonlyArray<Exit.Exit<unknown, unknown>> = exits.filter(Exit.isFailure)
      assert.deepStrictEqual(failed, [Exit.fail(new Conflict({ reason: "concurrent-writes" }))])
      const { items } = yield* Effect.provideService(todos.list({}), CurrentUser, one)
      assert.lengthOf(items, 2)
    })
  )
})

/** A todo with an SQLSTATE in its title makes the statement fail with that SQLSTATE. */
const raising = asOwner(
  Effect.andThen(
    query(`create or replace function todo.raising() returns trigger language plpgsql as $$ begin
  if new.title like 'raise %' then raise exception using errcode = substr(new.title, 7); end if;
  return new;
end $$`),
    query(`create or replace trigger raising before insert on todo.todos for each row execute function todo.raising()`)
  )
)

layer(onPool(1), live)("with one connection, which the host's transaction holds", (it) => {
  it.effect("calls in the transaction succeed while other calls wait, and those succeed afterwards", () =>
    Effect.gen(function* () {
      const todos = yield* Todos
      const sql = yield* SqlClient.SqlClient
      const started = yield* Deferred.make<void>()
      const others = yield* Effect.andThen(
        Deferred.await(started),
        Effect.forEach(range(20), (n) => todos.create({ title: `${n}` }), { concurrency: 20 })
      ).pipe(Effect.forkChild)
      const within = yield* sql.withTransaction(
        Effect.gen(function* () {
          yield* todos.create({ title: "first" })
          yield* Deferred.succeed(started, undefined)
          yield* Effect.yieldNow
          yield* Effect.forEach(range(5), (n) => todos.create({ title: `within ${n}` }))
          return (yield* todos.list({})).items.length
        })
      )
      assert.strictEqual(within, 6)
      yield* Fiber.join(others)
      assert.strictEqual((yield* todos.list({ count: true })).total, 26)
    }).pipe(asNewUser)
  )
})
