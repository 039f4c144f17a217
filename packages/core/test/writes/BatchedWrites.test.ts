import { assert, layer } from "@effect/vitest"
import { Accounts, type CurrentUser, Lists, Todos } from "@todo/core"
import { newUser } from "@todo/core/testing"
import { Cause, Effect, Exit, Fiber } from "effect"
import { onPool, onRecordedPool, Ran, range, waiting, whileHeld } from "../support/clients.ts"
import { asOwner, asSuperuser, runAs, unbounded } from "../support/connections.ts"
import { newKey, under } from "../support/keys.ts"
import { live, newTodoId, query } from "../support/suite.ts"

type User = ReturnType<typeof newUser>
type Write = Effect.Effect<unknown, { readonly _tag: string }, CurrentUser>

/** Runs all calls concurrently. */
const atOnce = <A, E, R>(calls: ReadonlyArray<Effect.Effect<A, E, R>>) => Effect.all(calls, unbounded)

/** New users, each with one todo. */
const someUsers = (count: number) =>
  Effect.forEach(range(count), () => {
    const user = newUser()
    return Effect.flatMap(Todos, (todos) =>
      Effect.map(runAs(user)(todos.create({ title: "first" })), (first) => ({ user, first }))
    )
  })

/** The titles of the user with their revisions. */
const stored = ({ user }: { readonly user: User }) =>
  Effect.map(
    asSuperuser(
      query<{ title: string; revision: bigint }>(
        "select title, revision from todo.todos where owner_id = $1 order by revision",
        [user.id]
      )
    ),
    (rows) => rows.map(({ revision, title }) => `${title} ${revision}`)
  )

/** Makes writes of todos with this title fail, at the statement or at the commit. */
const refusing = (title: string, when: "at once" | "at commit") =>
  asOwner(
    Effect.gen(function* () {
      yield* query(`create or replace function todo.refuse() returns trigger language plpgsql as $$
begin
  if new.title = '${title}' then raise exception using errcode = 'P0001', message = 'made to fail'; end if;
  return null;
end $$`)
      yield* query("drop trigger if exists refuse on todo.todos")
      yield* query(`create constraint trigger refuse after insert or update on todo.todos
deferrable initially ${when === "at once" ? "immediate" : "deferred"} for each row execute function todo.refuse()`)
    })
  )

const ran = new Ran()
/** Counts the statements with writes while `self` runs. */
const statements = <A, E, R>(self: Effect.Effect<A, E, R>) =>
  Effect.suspend(() => {
    const before = ran.count('todo".write')
    return Effect.map(self, (result) => ({ result, count: ran.count('todo".write') - before }))
  })

layer(onRecordedPool(ran), live)("concurrent writes of several users", (it) => {
  it.effect("concurrent writes share few statements, and each user gets its own row and its next revision", () =>
    Effect.gen(function* () {
      const todos = yield* Todos
      const users = yield* someUsers(50)
      const creates = users.map(({ user }, n) => runAs(user)(todos.create({ title: `of ${n}` })))
      const created = yield* statements(atOnce(creates))
      assert.isAtMost(created.count, 4)
      for (const [n, todo] of created.result.entries()) {
        assert.deepInclude(todo, { title: `of ${n}`, revision: 2 })
        assert.deepStrictEqual(yield* runAs(users[n]?.user ?? assert.fail())(todos.get(todo.id)), todo)
      }
      const mixed = yield* statements(
        atOnce(
          users.map(({ first: { id }, user }, n) => {
            const writes: ReadonlyArray<Write> = [
              todos.update(id, { title: "changed" }, { ifRevision: [1] }),
              todos.complete(id),
              todos.delete(id),
              todos.put(id, { title: "put" })
            ]
            return runAs(user)(writes[n % 4] ?? assert.fail())
          })
        )
      )
      assert.isAtMost(mixed.count, 4)
      const expected = ["changed 3", "first 3", "first 3", "put 3"]
      for (const [n, user] of users.entries()) {
        assert.deepStrictEqual(yield* stored(user), [`of ${n} 2`, expected[n % 4]])
      }
    })
  )

  it.effect("concurrent writes have the same results as sequential ones, for one user, a new user, and one key", () =>
    Effect.gen(function* () {
      const todos = yield* Todos
      const [one, ...others] = yield* someUsers(10)
      if (one === undefined) return assert.fail()
      const key = under(newKey())
      const fresh = newUser()
      const answers = yield* atOnce([
        ...range(12).map((n) => runAs(one.user)(todos.create({ title: `${n}` }))),
        ...range(12).map((n) => runAs(fresh)(todos.create({ title: `${n}` }))),
        ...others.map(({ user }) => runAs(user)(todos.create({ title: "other" }, under(newKey()))))
      ])
      const revisions = (from: number) => answers.slice(from, from + 12).map(({ revision }) => revision)
      assert.deepStrictEqual(
        revisions(0).toSorted((a, b) => a - b),
        range(12).map((n) => n + 2)
      )
      assert.deepStrictEqual(
        revisions(12).toSorted((a, b) => a - b),
        range(12).map((n) => n + 1)
      )
      for (const user of others) assert.deepStrictEqual(yield* stored(user), ["first 1", "other 2"])

      const again = Effect.retry(todos.create({ title: "once" }, key), {
        while: ({ _tag }) => _tag === "IdempotencyKeyInUse"
      })
      const keyed = yield* atOnce([...range(8).map(() => runAs(fresh)(again)), runAs(one.user)(again)])
      assert.strictEqual(new Set(keyed.map(({ id }) => id)).size, 2)
    })
  )

  it.effect("each concurrent write fails only with its own error", () =>
    Effect.gen(function* () {
      const [todos, accounts] = [yield* Todos, yield* Accounts]
      const users = yield* someUsers(20)
      const [disabled] = users
      yield* asSuperuser(query("update todo.users set disabled_at = now() where id = $1", [disabled?.user.id]))
      const attempts = users.map(({ first, user }, n) => {
        const writes: ReadonlyArray<Write> = [
          todos.update(newTodoId(), { title: "a" }),
          todos.update(first.id, { title: "a" }, { ifRevision: [9] }),
          todos.create({ title: "a", listId: null }),
          todos.put(first.id, { title: "a" }, { ifAbsent: true })
        ]
        return runAs(user)(
          Effect.match(writes[n % 4] ?? assert.fail(), { onSuccess: () => "done", onFailure: ({ _tag }) => _tag })
        )
      })
      const { count, result } = yield* statements(atOnce(attempts))
      assert.isAtMost(count, 4)
      const expected = ["TodoNotFound", "RevisionMismatch", "done", "RevisionMismatch"]
      assert.deepStrictEqual(
        result,
        users.map((_, n) => (n === 0 ? "UserDisabled" : (expected[n % 4] ?? "")))
      )
      for (const [n, { user }] of users.entries()) {
        const { revision } = yield* runAs(user)(accounts.me).pipe(Effect.orElseSucceed(() => ({ revision: 1 })))
        assert.strictEqual(revision, n % 4 === 2 ? 2 : 1)
      }
    })
  )

  it.effect("a batched write does not wait for the lock of another user", () =>
    Effect.gen(function* () {
      const todos = yield* Todos
      const users = yield* someUsers(10)
      const held = users[4] ?? assert.fail()
      const write = ({ user }: { readonly user: User }) => runAs(user)(todos.create({ title: "second" }))
      const { count } = yield* statements(
        whileHeld(held.user, (release) =>
          Effect.gen(function* () {
            const fibers = yield* Effect.forEach(users, (user) =>
              Effect.forkChild(write(user), { startImmediately: true })
            )
            const last = fibers[4] ?? assert.fail()
            yield* Fiber.joinAll(fibers.filter((fiber) => fiber !== last))
            assert.isUndefined(last.pollUnsafe())
            yield* release
            assert.strictEqual((yield* Fiber.join(last)).revision, 2)
          })
        )
      )
      // They were not repeated either.
      assert.isAtMost(count, 4)
    })
  )

  it.effect("a write that waits for a lock does not count against the limit of batches", () =>
    Effect.gen(function* () {
      const todos = yield* Todos
      const [held] = yield* someUsers(1)
      if (held === undefined) return assert.fail()
      const before = ran.texts.length
      const written = () => ran.texts.slice(before).flatMap((text) => /todo"\.(write\w*)/.exec(text)?.[1] ?? [])
      yield* whileHeld(held.user, (release) =>
        Effect.gen(function* () {
          const write = yield* Effect.forkChild(runAs(held.user)(todos.create({ title: "second" })))
          yield* waiting.pipe(Effect.repeat({ while: ({ length }) => length < 1 }))
          assert.deepStrictEqual(written(), ["write_locked", "write"])
          yield* release
          assert.strictEqual((yield* Fiber.join(write)).revision, 2)
        })
      )
    })
  )

  it.effect("writes of one user that wait for a lock leave connections for other users", () =>
    Effect.gen(function* () {
      const [todos, lists] = [yield* Todos, yield* Lists]
      const [held, other] = yield* someUsers(2)
      if (held === undefined || other === undefined) return assert.fail()
      const writes = (): ReadonlyArray<Write> => [
        todos.create({ title: "second" }),
        todos.create({ title: "second" }, under(newKey())),
        todos.batch([{ op: "create", todo: { title: "second" } }]),
        lists.create({ name: "first" })
      ]
      yield* whileHeld(held.user, () =>
        Effect.gen(function* () {
          const fibers = yield* Effect.forEach(range(40), (n) =>
            Effect.forkChild(runAs(held.user)(writes()[n % 4] ?? assert.fail()), { startImmediately: true })
          )
          // One user may use eight of the ten connections.
          yield* waiting.pipe(Effect.repeat({ while: ({ length }) => length < 8 }))
          yield* runAs(other.user)(todos.get(other.first.id))
          yield* runAs(other.user)(todos.list({}))
          yield* runAs(other.user)(todos.create({ title: "second" }))
          yield* runAs(other.user)(todos.batch([{ op: "create", todo: { title: "third" } }]))
          // After three seconds they would fail and free their connections.
          assert.isTrue(fibers.every((fiber) => fiber.pollUnsafe() === undefined))
          assert.lengthOf(yield* waiting, 8)
          yield* Fiber.interruptAll(fibers)
        })
      )
    })
  )

  it.effect("only one write fails if it makes the shared statement fail", () =>
    Effect.gen(function* () {
      const todos = yield* Todos
      for (const when of ["at once", "at commit"] as const) {
        yield* refusing("refused", when)
        const users = yield* someUsers(9)
        const exits = yield* atOnce(
          users.map(({ user }, n) => runAs(user)(Effect.exit(todos.create({ title: n === 4 ? "refused" : "fine" }))))
        )
        for (const [n, exit] of exits.entries()) {
          if (n === 4) assert.isTrue(Exit.isFailure(exit) && Cause.hasDies(exit.cause))
          else assert.isTrue(Exit.isSuccess(exit), `${when}, ${n}`)
          assert.deepStrictEqual(
            yield* stored(users[n] ?? assert.fail()),
            n === 4 ? ["first 1"] : ["first 1", "fine 2"]
          )
        }
      }
      yield* refusing("", "at once")
    })
  )

  it.effect("a write that is interrupted before its batch begins stores nothing", () =>
    Effect.gen(function* () {
      const todos = yield* Todos
      const users = yield* someUsers(6)
      const fibers = yield* Effect.forEach(users, ({ user }) =>
        Effect.forkChild(runAs(user)(todos.create({ title: "second" })), { startImmediately: true })
      )
      yield* Fiber.interrupt(fibers[2] ?? assert.fail())
      yield* Fiber.joinAll(fibers.filter((_, n) => n !== 2))
      for (const [n, user] of users.entries()) {
        assert.deepStrictEqual(yield* stored(user), n === 2 ? ["first 1"] : ["first 1", "second 2"])
      }
    })
  )

  it.effect("batches of several servers do not deadlock, in any order of users", () =>
    Effect.gen(function* () {
      const todos = yield* Todos
      const users = yield* someUsers(12)
      const other = yield* Effect.provide(Todos, Todos.layer, { local: true })
      const round = (order: typeof users, todos: typeof other) =>
        Effect.forEach(
          range(40),
          (n) => atOnce(order.map(({ user, first }) => runAs(user)(todos.update(first.id, { title: `${n}` })))),
          { discard: true }
        )
      yield* atOnce([round(users, todos), round(users.toReversed(), other)])
      for (const { first, user } of users) {
        const { revision } = yield* runAs(user)(todos.get(first.id))
        assert.isAtMost(revision, 81)
        assert.isAtLeast(revision, 41)
      }
      const [database] = yield* asSuperuser(
        query<{ deadlocks: bigint }>("select deadlocks from pg_stat_database where datname = current_database()")
      )
      assert.strictEqual(Number(database?.deadlocks), 0)
    })
  )
})

layer(onPool(1), live)("statements of batches", (it) => {
  it.effect("statements of batches are planned five times, and then reuse the plan for any number of calls", () =>
    Effect.gen(function* () {
      const todos = yield* Todos
      const users = yield* someUsers(12)
      for (const round of range(20)) {
        const some = users.slice(0, round < 10 ? 2 : 12)
        yield* atOnce(some.map(({ first, user }) => runAs(user)(todos.update(first.id, { title: `${round}` }))))
        yield* atOnce(some.map(({ first, user }) => runAs(user)(todos.get(first.id))))
      }
      const plans = yield* query<{ custom: bigint; generic: bigint }>(
        `select custom_plans as custom, generic_plans as generic from pg_prepared_statements
         where statement like 'select t.*, calls.number%'`
      )
      assert.lengthOf(plans, 2)
      for (const { custom, generic } of plans) {
        assert.strictEqual(Number(custom), 5)
        assert.isAtLeast(Number(generic), 15)
      }
    })
  )
})
