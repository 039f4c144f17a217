import { assert, layer } from "@effect/vitest"
import { Accounts, Changes, IdempotencyKey, Lists, Todos, type UserId } from "@todo/core"
import { newUser } from "@todo/core/testing"
import { Deferred, Effect, Fiber, Schedule, Stream } from "effect"
import { Users } from "../../../src/admin.ts"
import { range, whileDeletesFail } from "../../support/clients.ts"
import { asOwner, asSuperuser, runAs } from "../../support/connections.ts"
import { orphanWords, walkChanges } from "../../support/feed.ts"
import { erasedTables, ownedTables } from "../../../src/schema/tables.ts"
import { ids, live, query, services, tagOf } from "../../support/suite.ts"

const erase = (id: UserId) => asOwner(Users.erase(id))

/** The tables that have a text in any column. */
const tablesWith = (text: string) =>
  asSuperuser(
    Effect.gen(function* () {
      const tables = yield* query<{ name: string }>(
        "select tablename::text as name from pg_tables where schemaname = 'todo' order by 1"
      )
      const found: Array<string> = []
      for (const { name } of tables) {
        const rows = yield* query(`select 1 from todo.${name} t where strpos(t::text, $1) > 0 limit 1`, [text])
        if (rows.length > 0) found.push(name)
      }
      return found
    })
  )

/** Creates a row of the current user in every table. */
const fill = Effect.gen(function* () {
  const todos = yield* Todos
  const list = yield* (yield* Lists).create({ name: "Errands" })
  const idempotencyKey = IdempotencyKey.make("the-first-time")
  const kept = yield* todos.create({ title: "Buy milk", listId: list.id }, { idempotencyKey })
  const trashed = yield* todos.create({ title: "Old" })
  yield* todos.delete(trashed.id)
  return { kept, list, trashed }
})

layer(services, live)("a user who is erased", (it) => {
  it.effect("an erased user is in no column of any table, and other users are unchanged", () =>
    Effect.gen(function* () {
      const [user, other] = [newUser(), newUser()]
      yield* runAs(user)(fill)
      yield* runAs(other)(fill)
      const everywhere = ownedTables.map(({ name }) => name).toSorted()
      assert.deepStrictEqual(yield* tablesWith(user.id), everywhere)
      assert.deepStrictEqual(yield* erase(user.id), { id: user.id, todos: 2, lists: 1 })
      assert.deepStrictEqual(yield* tablesWith(user.id), [])
      assert.deepStrictEqual(yield* tablesWith(other.id), everywhere)
      assert.lengthOf((yield* runAs(other)(walkChanges())).changes, 3)
    })
  )

  it.effect("an erasure covers every table with an owner", () =>
    Effect.gen(function* () {
      const owned = yield* asSuperuser(
        query<{ name: string }>(`select relname::text as name from pg_attribute join pg_class c on c.oid = attrelid
          where relnamespace = 'todo'::regnamespace and relkind in ('r', 'p') and attname = 'owner_id'`)
      )
      assert.sameMembers(
        owned.map(({ name }) => name),
        [...erasedTables]
      )
    })
  )

  it.effect("an erased user is unknown, like a user who has never written", () =>
    Effect.gen(function* () {
      const user = newUser()
      yield* runAs(user)(fill)
      yield* erase(user.id)
      for (const id of [user.id, newUser().id]) {
        assert.strictEqual(yield* tagOf(asOwner(Users.show(id))), "UserNotFound")
        assert.strictEqual(yield* tagOf(erase(id)), "UserNotFound")
        assert.strictEqual(yield* tagOf(asOwner(Users.enable(id))), "UserNotFound")
      }
    })
  )

  it.effect("an erased user can start again, and can use the old ids and idempotency keys", () =>
    Effect.gen(function* () {
      const user = newUser()
      const before = yield* runAs(user)(fill)
      yield* erase(user.id)
      yield* Effect.gen(function* () {
        const todos = yield* Todos
        const { me } = yield* Accounts
        assert.deepStrictEqual(yield* me, {
          id: user.id,
          revision: 0,
          counts: { open: 0, completed: 0, trashed: 0, lists: 0 }
        })
        assert.deepStrictEqual((yield* todos.list({ q: "milk" })).items, [])
        const put = yield* todos.put(before.trashed.id, { title: "New" })
        assert.isTrue(put.created)
        const idempotencyKey = IdempotencyKey.make("the-first-time")
        const again = yield* todos.create({ title: "Buy oat milk" }, { idempotencyKey })
        assert.notStrictEqual(again.id, before.kept.id)
        assert.deepStrictEqual(ids((yield* walkChanges()).changes), [put.todo.id, again.id])
      }).pipe(runAs(user))
    })
  )

  it.effect("old revisions and cursors of an erased user never become valid again", () =>
    Effect.gen(function* () {
      const user = newUser()
      const todos = yield* Todos
      const changes = yield* Changes
      yield* Effect.gen(function* () {
        const first = yield* changes.page({})
        const before = yield* fill
        const early = yield* changes.page({ limit: 1 })
        const { cursor: late } = yield* walkChanges()
        const { revision } = yield* (yield* Accounts).me
        yield* erase(user.id)
        for (const since of [early.nextCursor, late]) {
          assert.strictEqual(yield* tagOf(changes.page({ since })), "CursorExpired")
        }
        const { todo } = yield* todos.put(before.kept.id, { title: "New" })
        assert.isAbove(todo.revision, revision)
        // Enough writes to pass every old revision, if the counter had begun at 0 again.
        for (const n of range(revision + 2)) {
          for (const since of [early.nextCursor, late]) {
            assert.strictEqual(yield* tagOf(changes.page({ since })), "CursorExpired")
          }
          yield* todos.create({ title: `${n}` })
        }
        assert.strictEqual(
          yield* tagOf(todos.update(todo.id, { title: "x" }, { ifRevision: range(revision + 1) })),
          "RevisionMismatch"
        )
        const all = yield* walkChanges()
        assert.lengthOf(all.changes, revision + 3)
        // A cursor from before the first write has missed nothing.
        assert.deepStrictEqual((yield* walkChanges(first.nextCursor)).changes, all.changes)
        // New cursors are valid.
        yield* todos.update(todo.id, { title: "y" })
        assert.lengthOf((yield* walkChanges(all.cursor)).changes, 1)
      }).pipe(runAs(user))
    })
  )

  it.effect("an erasure ends the open streams of the user; a stream of a user who has never written continues", () =>
    Effect.gen(function* () {
      const [user, other] = [newUser(), newUser()]
      const changes = yield* Changes
      yield* runAs(user)(fill)
      const followed = yield* Deferred.make<void>()
      const open = yield* runAs(user)(
        changes.stream({}).pipe(
          Stream.tap(() => Deferred.succeed(followed, undefined)),
          Stream.runDrain
        )
      ).pipe(Effect.flip, Effect.forkChild)
      const first = yield* runAs(other)(Stream.runHead(changes.stream({}))).pipe(Effect.forkChild)
      yield* Deferred.await(followed)
      yield* erase(user.id)
      assert.include(["UserDisabled", "CursorExpired"], (yield* Fiber.join(open))._tag)
      yield* runAs(other)(fill)
      assert.strictEqual((yield* Fiber.join(first))._tag, "Some")
    })
  )

  it.effect(
    "an erasure that fails midway leaves all rows of the user, who stays disabled and can be erased again",
    () =>
      Effect.gen(function* () {
        const user = newUser()
        yield* runAs(user)(fill)
        yield* Effect.gen(function* () {
          const before = yield* runAs(user)(walkChanges())
          assert.strictEqual(yield* tagOf(erase(user.id)), "Unavailable")
          assert.deepStrictEqual(yield* runAs(user)(walkChanges()), before)
          assert.isNotNull((yield* asOwner(Users.show(user.id))).disabledAt)
          assert.strictEqual(yield* tagOf(runAs(user)(fill)), "UserDisabled")
        }).pipe(whileDeletesFail("users", `old.id = '${user.id}'`))
        yield* erase(user.id)
        assert.deepStrictEqual(yield* tablesWith(user.id), [])
      })
  )

  it.effect("an erasure beside writers leaves no row of before, and no writer gets an internal error", () =>
    Effect.gen(function* () {
      const todos = yield* Todos
      const user = newUser()
      yield* runAs(user)(fill)
      const idempotencyKey = IdempotencyKey.make("the-first-time")
      const write = (n: number) =>
        Effect.gen(function* () {
          const { id } = yield* todos.create({ title: `${n}` })
          yield* todos.update(id, { title: `${n} again` })
          yield* todos.create({ title: "Buy milk" }, { idempotencyKey })
          yield* todos.delete(id)
        }).pipe(
          // A defect is not caught, so it fails the test.
          Effect.catchTags({
            UserDisabled: () => Effect.void,
            TodoNotFound: () => Effect.void,
            ListNotFound: () => Effect.void,
            IdempotencyKeyInUse: () => Effect.void,
            IdempotencyKeyReused: () => Effect.void
          })
        )
      const writers = yield* Effect.forEach(range(6), (n) => Effect.repeat(write(n), Schedule.forever), {
        concurrency: "unbounded",
        discard: true
      }).pipe(runAs(user), Effect.forkChild)
      let last = 0
      for (const _ of range(10)) {
        // After an erasure the next write creates the user again.
        const { revision } = yield* asOwner(
          Effect.retry(Users.show(user.id), { while: ({ _tag }) => _tag === "UserNotFound" })
        ).pipe(Effect.timeout("10 seconds"))
        assert.isAbove(revision, last, "a revision that was there before")
        last = revision
        yield* erase(user.id)
      }
      yield* Fiber.interrupt(writers)
      const { changes } = yield* runAs(user)(walkChanges())
      for (const change of changes) assert.isAbove(change.revision, last)
      assert.deepStrictEqual(yield* asSuperuser(orphanWords(user.id)), [])
      yield* erase(user.id).pipe(Effect.catchTag("UserNotFound", () => Effect.void))
      assert.deepStrictEqual(yield* tablesWith(user.id), [])
    })
  )
})
