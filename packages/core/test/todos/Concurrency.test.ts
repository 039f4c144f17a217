import { assert, describe, layer } from "@effect/vitest"
import { type CurrentUser, Lists, type Todo, type TodoId, type TodoOperation, Todos } from "@todo/core"
import { Effect, Exit, Result } from "effect"
import type { Random } from "../../../../.config/random.ts"
import { broken, onPool, range } from "../support/clients.ts"
import { unbounded } from "../support/connections.ts"
import { explained, type Observed } from "../support/orders.ts"
import { asNewUser, live, newTodoId, rounds, seeded } from "../support/suite.ts"

const races = rounds(20, 60, 60)
const batches = rounds(200, 1_000, 1_000)

/** Runs a write many times concurrently, and separates successes from failures. */
const race = <A, E, R>(length: number, attempt: (n: number) => Effect.Effect<A, E, R>) =>
  Effect.map(
    Effect.forEach(range(length), (n) => Effect.result(attempt(n)), unbounded),
    (results) => ({
      won: results.filter(Result.isSuccess).map(({ success }) => success),
      lost: results.filter(Result.isFailure).map(({ failure }) => failure)
    })
  )

const expecting = (revision: number) => ({ ifRevision: [revision, revision + 1_000] })

type Writer = CurrentUser | Lists | Todos

/** Writes of one row that expect its revision, or that it does not exist. */
const conditional: Readonly<
  Record<string, Effect.Effect<(n: number) => Effect.Effect<unknown, unknown, CurrentUser>, unknown, Writer>>
> = {
  puts: Effect.gen(function* () {
    const todos = yield* Todos
    const { id, revision } = yield* todos.create({ title: "a" })
    return (n: number) => todos.put(id, { title: `${n}` }, expecting(revision))
  }),
  "puts of a new id": Effect.gen(function* () {
    const todos = yield* Todos
    const id = newTodoId()
    return () => todos.put(id, { title: "a" }, { ifAbsent: true })
  }),
  moves: Effect.gen(function* () {
    const todos = yield* Todos
    const other = yield* todos.create({ title: "other" })
    const { id, revision } = yield* todos.create({ title: "a" })
    return () => todos.move(id, { before: other.id }, expecting(revision))
  }),
  deletes: Effect.gen(function* () {
    const todos = yield* Todos
    const { id, revision } = yield* todos.create({ title: "a" })
    return () => todos.delete(id, expecting(revision))
  }),
  restores: Effect.gen(function* () {
    const todos = yield* Todos
    const { id } = yield* todos.create({ title: "a" })
    const { revision } = yield* todos.delete(id)
    return () => todos.restore(id, expecting(revision))
  }),
  "updates of a list": Effect.gen(function* () {
    const lists = yield* Lists
    const { id, revision } = yield* lists.create({ name: "a" })
    return (n: number) => lists.update(id, { name: `${n}` }, expecting(revision))
  })
}

/** Runs batches of eight callers that change the same rows in opposite orders. Returns their exits. */
const crossing = Effect.fnUntraced(function* (random: Random, rounds: number) {
  const todos = yield* Todos
  const rows = yield* todos.batch(range(4).map((n) => ({ op: "create", todo: { title: `${n}` } })))
  const forwards = rows.map(({ id }) => id)
  const orders = range(rounds).map(() => (random.chance(0.5) ? forwards : forwards.toReversed()))
  const batch = (ids: ReadonlyArray<TodoId>, n: number) =>
    todos.batch(ids.map((id): TodoOperation => ({ op: "update", id, patch: { title: `${n}` } })))
  return yield* Effect.forEach(orders, (ids, n) => Effect.exit(batch(ids, n)), { concurrency: 8 })
})

describe.each([2, 10])("with a pool of %d", (poolSize) => {
  layer(onPool(poolSize), live)("writers of one row", (it) => {
    it.effect("of 100 updates that expect the same revision one succeeds, and 99 get the new revision", () =>
      Effect.gen(function* () {
        const todos = yield* Todos
        const { id, revision } = yield* todos.create({ title: "a" })
        const { lost, won } = yield* race(100, (n) =>
          todos.update(id, { title: `by ${n}` }, { ifRevision: [revision] })
        )
        assert.strictEqual(won.length, 1)
        assert.strictEqual(lost.length, 99)
        for (const failure of lost) {
          assert.deepInclude(failure, { _tag: "RevisionMismatch", current: revision + 1 })
        }
        assert.deepStrictEqual(yield* todos.get(id), won[0])
        assert.strictEqual(won[0]?.revision, revision + 1)
      }).pipe(asNewUser)
    )

    it.effect.each(Object.entries(conditional))("of 20 conditional %s one succeeds", ([, writes]) =>
      Effect.gen(function* () {
        const { lost, won } = yield* race(20, yield* writes)
        assert.deepStrictEqual([won.length, lost.length], [1, 19])
      }).pipe(asNewUser)
    )

    it.effect("of 20 conditional batches one succeeds, and the others change nothing", () =>
      Effect.gen(function* () {
        const todos = yield* Todos
        const { id, revision } = yield* todos.create({ title: "a" })
        const { lost, won } = yield* race(20, (n) =>
          todos.batch([
            { op: "create", todo: { title: "beside" } },
            { op: "update", id, patch: { title: `batch ${n}` }, ifRevision: revision }
          ])
        )
        assert.deepStrictEqual([won.length, lost.length], [1, 19])
        const current = won[0]?.[1]?.revision ?? 0
        for (const failure of lost) assert.deepInclude(failure, { _tag: "RevisionMismatch", current, index: 1 })
        assert.lengthOf((yield* todos.list({ q: "beside" })).items, 1)
      }).pipe(asNewUser)
    )

    it.effect("each successful toggle of 32 has its own revision, and the final state is that of the highest one", () =>
      Effect.gen(function* () {
        const todos = yield* Todos
        const { id, revision } = yield* todos.create({ title: "a" })
        const toggle = Effect.gen(function* () {
          const was = yield* todos.get(id)
          return yield* todos.update(id, { completed: !was.completed }, { ifRevision: [was.revision] })
        })
        const once = yield* race(32, () => toggle)
        for (const failure of once.lost) assert.strictEqual(failure._tag, "RevisionMismatch")
        const highest = (answers: ReadonlyArray<Todo>) => answers.toSorted((a, b) => b.revision - a.revision)[0]
        assert.deepStrictEqual(yield* todos.get(id), highest(once.won))
        assert.strictEqual(highest(once.won)?.revision, revision + once.won.length)
        assert.strictEqual(highest(once.won)?.completed, once.won.length % 2 === 1)

        const untilDone = Effect.retry(toggle, { while: ({ _tag }) => _tag === "RevisionMismatch" })
        const all = yield* race(32, () => untilDone)
        assert.lengthOf(all.won, 32)
        const last = yield* todos.get(id)
        assert.deepStrictEqual(last, highest(all.won))
        assert.strictEqual(last.revision, revision + once.won.length + 32)
        assert.strictEqual(last.completed, once.won.length % 2 === 1)
      }).pipe(asNewUser)
    )

    it.effect(`deletes, updates, reads and restores of one todo are linearizable, in ${races} races`, () =>
      seeded((random) =>
        Effect.forEach(
          range(races),
          () =>
            Effect.gen(function* () {
              const todos = yield* Todos
              const created = yield* todos.create({ title: "0" })
              const { id } = created
              const attempts = range(24).map((n) => {
                const kind = random.pick(["delete", "update", "update", "get", "get", "restore"] as const)
                const writes: Record<typeof kind, Effect.Effect<Todo, { readonly _tag: string }, CurrentUser>> = {
                  delete: todos.delete(id),
                  update: todos.update(id, { title: `${n + 1}` }),
                  get: todos.get(id),
                  restore: todos.restore(id)
                }
                return { kind, run: writes[kind] }
              })
              let acknowledged = created.revision
              const observe = ({ kind, run }: (typeof attempts)[number]) =>
                Effect.gen(function* () {
                  const since = acknowledged
                  const result = yield* Effect.result(run)
                  if (Result.isFailure(result)) return { kind, since, failure: result.failure._tag }
                  acknowledged = Math.max(acknowledged, result.success.revision)
                  return { kind, since, todo: result.success }
                })
              const observed: ReadonlyArray<Observed> = yield* Effect.forEach(attempts, observe, { concurrency: 8 })
              const { items } = yield* todos.list({ deleted: true })
              const final = items[0] ?? (yield* todos.get(id))
              assert.deepStrictEqual(explained(created, observed, final), [])
            }).pipe(asNewUser),
          { concurrency: 4, discard: true }
        )
      )
    )

    it.effect(`${batches} batches that change the same rows in opposite orders all succeed`, () =>
      seeded((random) => crossing(random, batches)).pipe(
        Effect.map((exits) => assert.deepStrictEqual(exits.filter(Exit.isFailure), [])),
        asNewUser
      )
    )
  })
})

layer(onPool(10), live)("without the check of the revision", (it) => {
  it.effect("more than one of 100 updates succeeds, so the tests above can fail", () =>
    Effect.gen(function* () {
      yield* broken("expected", ["select not op", "select true or not op"])
      const todos = yield* Todos
      const { id, revision } = yield* todos.create({ title: "a" })
      const { won } = yield* race(100, (n) => todos.update(id, { title: `by ${n}` }, { ifRevision: [revision] }))
      assert.isAbove(won.length, 1)
    }).pipe(asNewUser)
  )
})

layer(onPool(10), live)("without the lock on the user", (it) => {
  it.effect("concurrent writers fail, so the tests above can fail", () =>
    Effect.gen(function* () {
      yield* broken("write_as_user", ["for no key update", ""])
      const todos = yield* Todos
      yield* todos.create({ title: "a" })
      const exits = yield* Effect.forEach(range(40), (n) => Effect.exit(todos.create({ title: `${n}` })), unbounded)
      assert.isAbove(exits.filter(Exit.isFailure).length, 0)
    }).pipe(asNewUser)
  )
})
