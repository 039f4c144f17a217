import { assert, layer } from "@effect/vitest"
import { Changes, CurrentUser, IdempotencyKey, Lists, Todos } from "@todo/core"
import { newUser } from "@todo/core/testing"
import { Effect, Fiber, Schedule } from "effect"
import { Purge } from "../../../src/admin.ts"
import { range, whileDeletesFail } from "../../support/clients.ts"
import { asOwner, asSuperuser } from "../../support/connections.ts"
import { Fold, orphanWords, pages, stored, walkChanges } from "../../support/feed.ts"
import { asNewUser, ids, live, query, seeded, services, tagOf } from "../../support/suite.ts"

const day = 86_400

/** Purges the current user's trash. */
const purge = (olderThan: number) =>
  Effect.flatMap(CurrentUser, ({ id }) =>
    asOwner(
      Effect.gen(function* () {
        const planned = yield* Purge.plan({ olderThan, user: id })
        return { planned, purged: yield* Purge.run(planned) }
      })
    )
  )

/** Makes the current user's trash older by a number of days. */
const age = (days: number) =>
  Effect.flatMap(CurrentUser, ({ id }) =>
    asSuperuser(
      Effect.forEach(["todos", "lists"], (table) =>
        query(`update todo.${table} set deleted_at = deleted_at - make_interval(days => $2) where owner_id = $1`, [
          id,
          days
        ])
      )
    )
  )

/** Creates todos and deletes them. */
const trash = Effect.fnUntraced(function* (...titles: ReadonlyArray<string>) {
  const todos = yield* Todos
  const made = yield* Effect.forEach(titles, (title) => todos.create({ title, tags: ["in the trash"] }))
  return yield* Effect.forEach(made, ({ id }) => todos.delete(id))
})

/** Two old todos and a young one in the trash, and one that is open. */
const withTrash = Effect.gen(function* () {
  yield* trash("old milk", "old bread")
  yield* age(40)
  const [young] = yield* trash("young milk")
  return {
    user: yield* CurrentUser,
    young: young ?? assert.fail(),
    open: yield* (yield* Todos).create({ title: "open" })
  }
})

const numbersOf = ({ keys, lists, todos, users }: Purge.Purged) => ({ keys, lists, todos, users })

const words = Effect.flatMap(CurrentUser, ({ id }) =>
  asSuperuser(query<{ word: string }>("select word from todo.todo_words where owner_id = $1 order by 1", [id]))
)

const untrashed = (rows: ReadonlyArray<unknown>) =>
  rows.filter((row) => (row as { readonly deletedAt: unknown }).deletedAt === null)

layer(services, live)("a purge", (it) => {
  it.effect("a plan removes nothing", () =>
    Effect.gen(function* () {
      const { user } = yield* withTrash
      const planned = yield* asOwner(Purge.plan({ olderThan: 30 * day, user: user.id }))
      assert.deepInclude(planned, { userIds: [user.id], users: 1, todos: 2, lists: 0, keys: 0 })
      assert.lengthOf((yield* (yield* Todos).list({ deleted: true })).items, 3)
    }).pipe(asNewUser)
  )

  it.effect("a purge removes old trash with its search words, and nothing else", () =>
    Effect.gen(function* () {
      const { open, young } = yield* withTrash
      const todos = yield* Todos
      const { planned, purged } = yield* purge(30 * day)
      assert.deepStrictEqual(purged, numbersOf(planned))
      assert.deepStrictEqual(ids((yield* todos.list({ deleted: true })).items), [young.id])
      assert.deepStrictEqual(ids((yield* todos.list({})).items), [open.id])
      assert.deepStrictEqual(
        (yield* words).map(({ word }) => word),
        [" in the trash", "milk", "open", "young"]
      )
    }).pipe(asNewUser)
  )

  it.effect("a second purge finds nothing", () =>
    Effect.gen(function* () {
      yield* withTrash
      yield* purge(30 * day)
      assert.deepStrictEqual((yield* purge(30 * day)).purged, { users: 0, todos: 0, lists: 0, keys: 0 })
    }).pipe(asNewUser)
  )

  it.effect("a purge of more rows than one batch removes them all, and only for the chosen user", () =>
    Effect.gen(function* () {
      const todos = yield* Todos
      const other = Effect.provideService(CurrentUser, newUser())
      yield* other(Effect.andThen(trash("other"), age(1)))
      const made = yield* Effect.forEach(range(13), (n) =>
        todos.batch(range(100).map((at) => ({ op: "create" as const, todo: { title: `${n} ${at}` } })))
      )
      for (const batch of made) {
        yield* todos.batch(batch.map(({ id }) => ({ op: "delete" as const, id })))
      }
      yield* age(2)
      const [young] = yield* trash("young")
      const seen: Array<number> = []
      const { id } = yield* CurrentUser
      const purged = yield* asOwner(
        Effect.flatMap(Purge.plan({ olderThan: day, user: id }), (plan) =>
          Purge.run(plan, (rows) => Effect.sync(() => void seen.push(rows)))
        )
      )
      assert.deepStrictEqual(purged, { users: 1, todos: 1_300, lists: 0, keys: 0 })
      assert.deepStrictEqual(seen, [...Array.from({ length: 26 }, () => 50), 0])
      assert.deepStrictEqual(
        (yield* words).map(({ word }) => word),
        [" in the trash", "young"]
      )
      assert.deepStrictEqual(ids((yield* todos.list({ deleted: true })).items), [young?.id ?? assert.fail()])
      assert.lengthOf((yield* other(todos.list({ deleted: true }))).items, 1)
    }).pipe(asNewUser)
  )

  it.effect("a purge keeps a list until the last todo in it is purged", () =>
    Effect.gen(function* () {
      const todos = yield* Todos
      const lists = yield* Lists
      const { id } = yield* CurrentUser
      const list = yield* lists.create({ name: "Errands" })
      const [old, young] = yield* Effect.forEach(["old", "young"], (title) => todos.create({ title, listId: list.id }))
      yield* lists.delete(list.id, { todos: "trash" })
      yield* age(40)
      yield* asSuperuser(
        query("update todo.todos set deleted_at = now() where owner_id = $1 and id = $2", [id, young?.id])
      )
      const first = yield* purge(30 * day)
      assert.deepInclude(first.purged, { todos: 1, lists: 0 })
      assert.deepStrictEqual(first.purged, numbersOf(first.planned))
      assert.strictEqual(yield* tagOf(todos.restore(old?.id ?? assert.fail())), "TodoNotFound")
      yield* age(40)
      const second = yield* purge(30 * day)
      assert.deepInclude(second.purged, { todos: 1, lists: 1 })
      assert.deepStrictEqual(second.purged, numbersOf(second.planned))
      assert.deepStrictEqual(yield* asSuperuser(stored), [])
    }).pipe(asNewUser)
  )

  it.effect("a purge expires the cursors that have not seen a purged row in the trash, and no others", () =>
    Effect.gen(function* () {
      const changes = yield* Changes
      const todos = yield* Todos
      yield* todos.create({ title: "first" })
      const { id } = yield* todos.create({ title: "old" })
      const list = yield* (yield* Lists).create({ name: "Errands" })
      const before = yield* changes.page({})
      yield* todos.delete(id)
      const between = yield* changes.page({})
      yield* (yield* Lists).delete(list.id)
      yield* age(40)
      const behind = yield* changes.page({})
      yield* trash("young")
      yield* todos.create({ title: "last" })
      const expected = yield* walkChanges(behind.nextCursor)
      assert.lengthOf(expected.changes, 2)
      yield* purge(30 * day)
      for (const since of [before.nextCursor, between.nextCursor]) {
        assert.strictEqual(yield* tagOf(changes.page({ since })), "CursorExpired")
      }
      assert.deepStrictEqual(yield* walkChanges(behind.nextCursor), expected)
      assert.deepStrictEqual(new Fold().add((yield* walkChanges()).changes).rows, yield* asSuperuser(stored))
    }).pipe(asNewUser)
  )

  it.effect("a purge deletes idempotency keys that are older than 24 hours, and no younger ones", () =>
    Effect.gen(function* () {
      const todos = yield* Todos
      const { id } = yield* CurrentUser
      const write = (key: string) => todos.create({ title: key }, { idempotencyKey: IdempotencyKey.make(key) })
      const [, kept] = [yield* write("old"), yield* write("young")]
      yield* asSuperuser(
        query(
          "update todo.idempotency_keys set created_at = now() - interval '25 hours' where owner_id = $1 and key = 'old'",
          [id]
        )
      )
      const { planned, purged } = yield* purge(30 * day)
      assert.deepStrictEqual(purged, { users: 1, todos: 0, lists: 0, keys: 1 })
      assert.deepStrictEqual(purged, numbersOf(planned))
      assert.strictEqual((yield* write("young")).id, kept.id)
    }).pipe(asNewUser)
  )

  it.effect("a purge keeps todos that were restored after the plan", () =>
    Effect.gen(function* () {
      const todos = yield* Todos
      const { id } = yield* CurrentUser
      const [one, two] = yield* trash("one", "two")
      yield* age(40)
      const planned = yield* asOwner(Purge.plan({ olderThan: 30 * day, user: id }))
      yield* todos.restore(one?.id ?? assert.fail())
      yield* todos.restore(two?.id ?? assert.fail())
      yield* todos.delete(two?.id ?? assert.fail())
      assert.deepStrictEqual(yield* asOwner(Purge.run(planned)), { users: 0, todos: 0, lists: 0, keys: 0 })
      assert.lengthOf((yield* walkChanges()).changes, 2)
    }).pipe(asNewUser)
  )

  it.effect("a purge of an unknown user is UserNotFound", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* tagOf(purge(day)), "UserNotFound")
    }).pipe(asNewUser)
  )

  it.effect("a purge that fails midway keeps the finished batches with their horizon, and can run again", () =>
    Effect.gen(function* () {
      const changes = yield* Changes
      const { id } = yield* CurrentUser
      const todos = yield* Todos
      const made = yield* Effect.forEach(range(6), () =>
        todos.batch(range(100).map((n) => ({ op: "create" as const, todo: { title: `${n}` } })))
      )
      const cursors: Array<string> = []
      for (const batch of made) {
        cursors.push((yield* changes.page({ limit: 1 })).nextCursor)
        yield* todos.batch(batch.map(({ id }) => ({ op: "delete" as const, id })))
      }
      yield* age(40)
      const { cursor } = yield* walkChanges()
      const failed = tagOf(purge(30 * day)).pipe(whileDeletesFail("todos", `old.id = '${made[5]?.[9]?.id}'`))
      assert.strictEqual(yield* failed, "Unavailable")
      assert.lengthOf(yield* asSuperuser(stored), 100)
      for (const since of cursors) assert.strictEqual(yield* tagOf(changes.page({ since })), "CursorExpired")
      assert.deepInclude(yield* changes.page({ since: cursor }), { changes: [], hasMore: false })
      assert.deepInclude((yield* purge(30 * day)).purged, { todos: 100 })
      assert.deepStrictEqual([yield* asSuperuser(stored), yield* words], [[], []])
      const numbers = yield* asSuperuser(
        query<{ held: boolean }>("select horizon <= revision as held from todo.users where id = $1", [id])
      )
      assert.isTrue(numbers[0]?.held)
    }).pipe(asNewUser)
  )

  it.effect(
    "two concurrent purges beside writers purge each row once, and a reader of the change feed misses nothing",
    () =>
      seeded((random) =>
        Effect.gen(function* () {
          const todos = yield* Todos
          const write = Effect.gen(function* () {
            const { id } = yield* todos.create({ title: `${random.int(1_000)} words` })
            if (random.chance(0.8)) yield* todos.delete(id)
            if (random.chance(0.2)) yield* Effect.ignore(todos.restore(id))
          })
          const written = yield* Effect.forEach(range(3), () => Effect.repeat(write, Schedule.recurs(60)), {
            concurrency: "unbounded",
            discard: true
          }).pipe(Effect.forkChild)

          // A reader of the change feed. It starts again if its cursor has expired.
          const fold = new Fold()
          let cursor: string | undefined
          let expired = 0
          const read = Effect.gen(function* () {
            for (const page of yield* pages(cursor, () => 1 + random.int(20))) {
              fold.add(page.changes)
              cursor = page.nextCursor
            }
          }).pipe(
            Effect.catchTag("CursorExpired", () =>
              Effect.sync(() => {
                expired++
                cursor = undefined
                fold.clear()
              })
            )
          )
          let purged = 0
          const both = Effect.map(
            Effect.all([purge(0), purge(0)], { concurrency: 2 }),
            (each) => (purged += each.reduce((sum, { purged }) => sum + purged.todos, 0))
          )
          yield* trash("at least one")
          while (written.pollUnsafe() === undefined) {
            yield* read
            yield* both
          }
          yield* Fiber.join(written)
          yield* both
          const { id } = yield* CurrentUser
          yield* read
          if (cursor === undefined) yield* read
          const rows = yield* asSuperuser(stored)
          // The feed does not report that a row in the trash was purged.
          assert.deepStrictEqual(untrashed(fold.rows), untrashed(rows))
          assert.isAbove(expired, 0)
          const [made] = yield* asSuperuser(
            query<{ n: number }>("select revision::int as n from todo.users where id = $1", [id])
          )
          assert.isAbove(purged, 0)
          assert.isAbove(made?.n ?? 0, purged)
          assert.deepStrictEqual(yield* asSuperuser(orphanWords(id)), [])
        }).pipe(asNewUser)
      )
  )
})
