import { assert, layer } from "@effect/vitest"
import { Conflict, CurrentUser, type Todo, Todos, Unavailable } from "@todo/core"
import { newUser } from "@todo/core/testing"
import { Cause, Effect, Exit, Fiber, Ref, Result } from "effect"
import { SqlClient, SqlError } from "effect/sql"
import { onRecordedPool, Ran, range } from "../support/clients.ts"
import { asOwner, asSuperuser } from "../support/connections.ts"
import { newKey, under } from "../support/keys.ts"
import { asNewUser, live, query, rounds } from "../support/suite.ts"

/** Makes a share of all commits with a changed todo fail with this SQLSTATE. */
const failing = (share: number, code = "40001") =>
  asOwner(
    Effect.gen(function* () {
      yield* query(`create or replace function todo.flaky() returns trigger language plpgsql as $$
begin
  if random() < ${share} then raise exception using errcode = '${code}', message = 'made to fail'; end if;
  return null;
end $$`)
      yield* query("drop trigger if exists flaky on todo.todos")
      yield* query(`create constraint trigger flaky after insert or update on todo.todos
deferrable initially deferred for each row execute function todo.flaky()`)
    })
  )

/** The titles of the current user's todos. */
const titles = Effect.gen(function* () {
  const { id } = yield* CurrentUser
  const rows = yield* asSuperuser(query<{ title: string }>("select title from todo.todos where owner_id = $1", [id]))
  return rows.map(({ title }) => title).toSorted()
})

const writes = 'todo".write'
const ran = new Ran()
/** The number of write attempts while `self` ran. */
const attempts = <A, E, R>(self: Effect.Effect<A, E, R>) =>
  Effect.suspend(() => {
    const before = ran.count(writes)
    return Effect.map(self, (result) => ({ result, attempts: ran.count(writes) - before }))
  })

layer(onRecordedPool(ran), live)("a write whose commit fails with 40001", (it) => {
  it.effect(
    "writes are retried if 30 % of the commits fail: few errors remain, and each success is stored once",
    () =>
      Effect.gen(function* () {
        yield* failing(0.3)
        const todos = yield* Todos
        const users = range(16).map(newUser)
        const perUser = rounds(20, 60, 1_000)
        const write = (n: number) => todos.create({ title: `${n}` }, n % 2 === 0 ? under(newKey()) : {})
        const of = Effect.fnUntraced(function* (user: (typeof users)[number]) {
          const results = yield* Effect.forEach(range(perUser), (n) => Effect.result(write(n)))
          const acknowledged = results.filter(Result.isSuccess).map(({ success }) => success.title)
          assert.deepStrictEqual(yield* Effect.provideService(titles, CurrentUser, user), acknowledged.toSorted())
          return results.filter(Result.isFailure).map(({ failure }) => failure)
        })
        const run = Effect.forEach(users, (user) => Effect.provideService(of(user), CurrentUser, user), {
          concurrency: 8
        })
        const { attempts: sent, result } = yield* attempts(run)
        const errors = result.flat()
        const all = users.length * perUser
        console.log(`${all} writes, ${sent} attempts, ${errors.length} errors`)
        for (const error of errors) assert.deepInclude(error, { _tag: "Conflict", reason: "concurrent-writes" })
        // 0.3 to the power of 6 is 0.07 %. More errors than this have a probability below one in a million.
        assert.isAtMost(errors.length, 8 + all * 0.0015)
        assert.isAbove(sent, all * 1.1)
        assert.isBelow(sent, all * 1.8)
      }),
    120_000
  )

  it.effect(
    "a write that fails each time is a Conflict after six attempts; nothing is stored, and its key is free",
    () =>
      Effect.gen(function* () {
        const todos = yield* Todos
        const key = newKey()
        yield* todos.create({ title: "first" })
        yield* failing(1)
        for (const options of [{}, under(key)]) {
          const { attempts: sent, result } = yield* attempts(Effect.flip(todos.create({ title: "a" }, options)))
          assert.deepStrictEqual([result, sent], [new Conflict({ reason: "concurrent-writes" }), 6])
        }
        assert.deepStrictEqual(yield* titles, ["first"])
        yield* failing(0)
        yield* todos.create({ title: "another body" }, under(key))
      }).pipe(asNewUser)
  )

  it.effect("a write in a transaction of the host is tried once, and the host gets the error", () =>
    Effect.gen(function* () {
      const todos = yield* Todos
      const sql = yield* SqlClient.SqlClient
      yield* failing(1)
      const { attempts: sent, result } = yield* attempts(
        Effect.flip(sql.withTransaction(Effect.asVoid(todos.create({ title: "a" }))))
      )
      assert.strictEqual(sent, 1)
      assert.isTrue(SqlError.isSqlError(result))
      assert.deepStrictEqual(yield* titles, [])
      yield* failing(0)
    }).pipe(asNewUser)
  )

  it.effect("a write is not retried after a failure that is not a conflict", () =>
    Effect.gen(function* () {
      const todos = yield* Todos
      yield* todos.create({ title: "first" })
      const create = attempts(Effect.exit(Effect.flip(todos.create({ title: "a" }))))
      for (const code of ["57014", "55P03", "53200"]) {
        yield* failing(1, code)
        const { attempts: sent, result } = yield* create
        const told = Exit.isSuccess(result) && result.value instanceof Unavailable ? result.value.outcome : result
        assert.deepStrictEqual([code, told, sent], [code, "not-applied", 1])
      }
      yield* failing(1, "23514")
      const { attempts: sent, result } = yield* create
      assert.isTrue(Exit.isFailure(result) && Cause.hasDies(result.cause), "an unknown failure is a defect")
      assert.strictEqual(sent, 1)
      yield* failing(0)
      assert.deepStrictEqual(yield* titles, ["first"])
    }).pipe(asNewUser)
  )
})

/** Ends every connection of the services, as an administrator or a failover would. */
const terminated = asSuperuser(
  query(
    `select pg_terminate_backend(pid) from pg_stat_activity
     where datname = current_database() and pid <> pg_backend_pid() and usename <> current_user`
  )
)

/** Waits until the server has closed every connection of the services. */
const gone = asSuperuser(
  query(
    "select from pg_stat_activity where datname = current_database() and usename is not null and usename <> current_user"
  ).pipe(Effect.repeat({ until: (open) => open.length === 0 }), Effect.timeout("10 seconds"))
)

layer(onRecordedPool(new Ran(), 8), live)("with connections that are terminated", (it) => {
  it.effect(
    "a write succeeds or fails with its outcome, never with a defect, and a write that is not-applied stored nothing",
    () =>
      Effect.gen(function* () {
        const todos = yield* Todos
        const running = yield* Ref.make(true)
        const writer = Effect.fnUntraced(function* (writer: number) {
          const told: Array<Result.Result<Todo, { readonly _tag: string }>> = []
          for (let n = 0; yield* Ref.get(running); n++)
            told.push(yield* Effect.result(todos.create({ title: `${writer}.${n}` })))
          return told.map((result, n) => ({ title: `${writer}.${n}`, result }))
        })
        const reading = Effect.gen(function* () {
          let reads = 0
          for (; yield* Ref.get(running); reads++) yield* todos.list({ limit: 5 })
          return reads
        })
        const writing = yield* Effect.forkChild(Effect.forEach(range(6), writer, { concurrency: 6 }))
        const reader = yield* Effect.forkChild(reading)
        for (const _ of range(12)) yield* Effect.delay(terminated, "40 millis")
        yield* Ref.set(running, false)

        const told = (yield* Fiber.join(writing)).flat()
        const stored = new Set(yield* titles)
        const outcomes = { done: 0, "not-applied": 0, unknown: 0 }
        for (const { result, title } of told) {
          if (Result.isSuccess(result)) {
            outcomes.done++
            assert.isTrue(stored.has(title), `${title} is lost`)
            continue
          }
          assert.instanceOf(result.failure, Unavailable)
          if (!(result.failure instanceof Unavailable)) continue
          outcomes[result.failure.outcome]++
          if (result.failure.outcome === "not-applied") assert.isFalse(stored.has(title), `${title} is there`)
        }
        console.log(JSON.stringify(outcomes), yield* Fiber.join(reader), "reads")
        assert.isAbove(outcomes.done, 0)
        assert.isAbove(outcomes.unknown, 0)
      }).pipe(asNewUser)
  )

  it.effect("a write under a key, repeated until it is answered, makes one row", () =>
    Effect.gen(function* () {
      const todos = yield* Todos
      const keyed = Effect.forEach(
        range(6),
        (writer) =>
          Effect.forEach(range(25), (n) => {
            const key = newKey()
            const write = todos.create({ title: `${writer}.${n}` }, under(key))
            // The key is in use until the killed backend has ended its transaction.
            return Effect.retry(write, {
              while: ({ _tag }) => _tag === "Unavailable" || _tag === "IdempotencyKeyInUse"
            })
          }),
        { concurrency: 6 }
      )
      const killing = yield* Effect.forkChild(Effect.forever(Effect.delay(terminated, "25 millis")))
      const answers = (yield* keyed).flat()
      yield* Fiber.interrupt(killing)
      assert.deepStrictEqual(yield* titles, answers.map(({ title }) => title).toSorted())
      assert.lengthOf(answers, 150)
      assert.strictEqual(new Set(answers.map(({ id }) => id)).size, 150)
    }).pipe(asNewUser)
  )

  it.effect("idle connections that were closed are replaced: the next write and read succeed", () =>
    Effect.gen(function* () {
      const todos = yield* Todos
      for (const n of range(5)) {
        yield* Effect.forEach(range(8), () => todos.list({}), { concurrency: 8 })
        yield* terminated
        yield* gone
        yield* todos.create({ title: `${n}` })
      }
      assert.lengthOf(yield* titles, 5)
    }).pipe(asNewUser)
  )
})
