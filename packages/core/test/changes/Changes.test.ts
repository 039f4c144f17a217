import { createHash } from "node:crypto"
import { assert, layer } from "@effect/vitest"
import { Changes, CurrentUser, Lists, Todos } from "@todo/core"
import { newUser } from "@todo/core/testing"
import { Effect } from "effect"
import { asSuperuser } from "../support/connections.ts"
import { Fold, itemOf, pages, purgeAsSuperuser, stored, walkChanges } from "../support/feed.ts"
import { range } from "../support/clients.ts"
import { asNewUser, live, query, seeded, services, tagOf } from "../support/suite.ts"

/** Creates, changes, moves, deletes and restores lists and todos. Six rows have changes. */
const mixed = Effect.gen(function* () {
  const todos = yield* Todos
  const lists = yield* Lists
  const list = yield* lists.create({ name: "home" })
  const one = yield* todos.create({ title: "one", listId: list.id })
  const two = yield* todos.create({ title: "two" })
  const other = yield* lists.create({ name: "work" })
  yield* todos.move(two.id, { before: one.id })
  yield* todos.complete(one.id)
  yield* lists.update(other.id, { name: "office" })
  yield* todos.delete(two.id)
  const [three] = yield* todos.batch([
    { op: "create", todo: { title: "three", listId: list.id } },
    { op: "update", id: one.id, patch: { priority: "high" } }
  ])
  yield* lists.delete(list.id, { todos: "trash" })
  yield* todos.restore(one.id)
  const four = yield* todos.create({ title: "four" })
  return { list, one, two, three, other, four }
})

layer(services, live)("a page of changes", (it) => {
  it.effect("the feed has each row once, complete, at its latest revision, in revision order", () =>
    Effect.gen(function* () {
      const { four, list, one, other, three, two } = yield* mixed
      const { changes } = yield* walkChanges()
      assert.deepStrictEqual(
        changes.map(({ deleted, id, kind, revision }) => [kind, id, revision, deleted]),
        [
          ["list", other.id, 7, false],
          ["todo", two.id, 8, true],
          ["list", list.id, 11, true],
          ["todo", three?.id, 13, true],
          ["todo", one.id, 14, false],
          ["todo", four.id, 15, false]
        ]
      )
      assert.deepStrictEqual(changes.map(itemOf), yield* asSuperuser(stored))
      for (const change of changes) {
        assert.strictEqual(itemOf(change).revision, change.revision)
        assert.strictEqual(itemOf(change).deletedAt !== null, change.deleted)
      }
    }).pipe(asNewUser)
  )

  it.effect(
    "pages of every size have the same changes, a right hasMore, and cursors that continue after the page",
    () =>
      seeded((random) =>
        Effect.gen(function* () {
          yield* mixed
          const whole = yield* stored.pipe(asSuperuser)
          for (const size of range(whole.length + 1)) {
            const all = yield* pages(undefined, () => size + 1)
            assert.deepStrictEqual(
              all.map(({ hasMore }) => hasMore),
              all.map((_, n) => n < all.length - 1)
            )
            assert.lengthOf(all, Math.max(1, Math.ceil(whole.length / (size + 1))))
            assert.deepStrictEqual(
              all.flatMap(({ changes }) => changes.map(itemOf)),
              whole
            )
          }
          const { changes } = yield* walkChanges(undefined, () => 1 + random.int(4))
          assert.deepStrictEqual(changes.map(itemOf), whole)
        }).pipe(asNewUser)
      )
  )

  it.effect("the page of a user without writes is empty, and its cursor continues with the first change", () =>
    Effect.gen(function* () {
      const changes = yield* Changes
      const before = yield* changes.page({})
      assert.deepInclude(before, { changes: [], hasMore: false })
      const again = yield* changes.page({ since: before.nextCursor })
      assert.deepInclude(again, { changes: [], hasMore: false })
      const { id } = yield* (yield* Todos).create({ title: "a" })
      const after = yield* changes.page({ since: again.nextCursor })
      assert.deepStrictEqual(
        after.changes.map((change) => change.id),
        [id]
      )
      assert.deepInclude(yield* changes.page({ since: after.nextCursor }), { changes: [], hasMore: false })
    }).pipe(asNewUser)
  )

  it.effect("a page has 100 changes by default and at most 500, and other limits are refused", () =>
    Effect.gen(function* () {
      const changes = yield* Changes
      const todos = yield* Todos
      const some = range(100).map((n) => ({ op: "create" as const, todo: { title: `${n}` } }))
      yield* todos.batch(some)
      yield* todos.batch(some.slice(0, 1))
      const first = yield* changes.page({})
      assert.deepStrictEqual([first.changes.length, first.hasMore], [100, true])
      const all = yield* changes.page({ limit: 500 })
      assert.deepStrictEqual([all.changes.length, all.hasMore], [101, false])
      for (const limit of [0, -1, 501, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
        assert.strictEqual(yield* tagOf(changes.page({ limit })), "InvalidInput")
      }
    }).pipe(asNewUser)
  )

  it.effect("the feed does not have a write that changed nothing", () =>
    Effect.gen(function* () {
      const todos = yield* Todos
      const { id } = yield* todos.create({ title: "a" })
      const { cursor } = yield* walkChanges()
      yield* todos.update(id, {})
      yield* todos.update(id, { title: "a" })
      yield* todos.restore(id)
      assert.deepStrictEqual((yield* walkChanges(cursor)).changes, [])
    }).pipe(asNewUser)
  )
})

layer(services, live)("a cursor of changes", (it) => {
  it.effect("a cursor of another user or another query is InvalidCursor", () =>
    Effect.gen(function* () {
      const changes = yield* Changes
      const todos = yield* Todos
      yield* todos.create({ title: "a" })
      yield* todos.create({ title: "b" })
      const { nextCursor } = yield* changes.page({})
      const asOther = Effect.provideService(CurrentUser, newUser())
      assert.strictEqual(yield* tagOf(asOther(changes.page({ since: nextCursor }))), "InvalidCursor")
      const { nextCursor: ofList } = yield* todos.list({ limit: 1 })
      assert.strictEqual(yield* tagOf(changes.page({ since: ofList ?? "" })), "InvalidCursor")
      assert.strictEqual(yield* tagOf(todos.list({ cursor: nextCursor })), "InvalidCursor")
    }).pipe(asNewUser)
  )

  it.effect("a cursor with one character changed, added or removed is InvalidCursor", () =>
    Effect.gen(function* () {
      const changes = yield* Changes
      yield* (yield* Todos).create({ title: "a" })
      const { nextCursor } = yield* changes.page({})
      const spoilt = range(nextCursor.length).flatMap((at) => {
        const [before, after] = [nextCursor.slice(0, at), nextCursor.slice(at + 1)]
        return [before + after, `${before}${nextCursor[at] === "A" ? "B" : "A"}${after}`]
      })
      for (const since of [...spoilt, `${nextCursor}=`, `${nextCursor}A`, ` ${nextCursor}`, "", "0", "é", "\u0000"]) {
        assert.strictEqual(yield* tagOf(changes.page({ since })), "InvalidCursor", JSON.stringify(since))
      }
    }).pipe(asNewUser)
  )

  it.effect("a forged cursor with a valid digest is InvalidCursor, and never a defect", () =>
    Effect.gen(function* () {
      const changes = yield* Changes
      const { id } = yield* CurrentUser
      yield* (yield* Todos).create({ title: "a" })
      const forged = (payload: string) => {
        const digest = createHash("sha256")
          .update(`${JSON.stringify([id, "changes"])}\0${payload}`)
          .digest()
        return Buffer.concat([digest.subarray(0, 12), Buffer.from(payload)]).toString("base64url")
      }
      assert.lengthOf((yield* changes.page({ since: forged("[0,0]") })).changes, 1)
      const numbers = ["[-1,0]", "[1.5,0]", "[1e400,0]", "[9223372036854775808,0]", "[1,-1]", "[0,0,0]", "[0]"]
      const others = ['["x",0]', "[null,null]", "[[1],0]", "[]", "{}", "null", "", "x", '"00"']
      for (const payload of [...numbers, ...others]) {
        assert.strictEqual(yield* tagOf(changes.page({ since: forged(payload) })), "InvalidCursor", payload)
      }
    }).pipe(asNewUser)
  )

  it.effect("a cursor beyond the user's revision, after a restore of the database, is CursorExpired", () =>
    Effect.gen(function* () {
      const changes = yield* Changes
      const todos = yield* Todos
      const { id } = yield* CurrentUser
      yield* todos.create({ title: "a" })
      yield* todos.create({ title: "b" })
      const { nextCursor } = yield* changes.page({})
      yield* asSuperuser(query("delete from todo.todos where owner_id = $1 and revision = 2", [id]))
      yield* asSuperuser(query("update todo.users set revision = 1 where id = $1", [id]))
      assert.strictEqual(yield* tagOf(changes.page({ since: nextCursor })), "CursorExpired")
    }).pipe(asNewUser)
  )
})

layer(services, live)("the horizon", (it) => {
  it.effect("a purge expires the cursors below the horizon, so a client cannot miss a purged row silently", () =>
    Effect.gen(function* () {
      const changes = yield* Changes
      const todos = yield* Todos
      const gone = yield* todos.create({ title: "gone" })
      yield* todos.create({ title: "stays" })
      const before = yield* changes.page({})
      const early = yield* changes.page({ limit: 1 })
      yield* todos.delete(gone.id)
      const { cursor } = yield* walkChanges(before.nextCursor)
      yield* purgeAsSuperuser
      for (const since of [before.nextCursor, early.nextCursor]) {
        assert.strictEqual(yield* tagOf(changes.page({ since })), "CursorExpired")
      }
      assert.deepInclude(yield* changes.page({ since: cursor }), { changes: [], hasMore: false })
    }).pipe(asNewUser)
  )

  it.effect("a purge does not expire cursors of a reader that started later", () =>
    Effect.gen(function* () {
      const todos = yield* Todos
      for (const n of range(4)) yield* todos.create({ title: `${n}` })
      yield* todos.delete((yield* todos.create({ title: "gone" })).id)
      yield* purgeAsSuperuser
      const { changes, cursor } = yield* walkChanges(undefined, () => 1)
      assert.deepStrictEqual(changes.map(itemOf), yield* asSuperuser(stored))
      assert.lengthOf(changes, 4)
      // The reader continues until a purge removes a row that it has.
      const seen = yield* todos.create({ title: "seen" })
      const next = yield* walkChanges(cursor)
      assert.lengthOf(next.changes, 1)
      yield* todos.delete(seen.id)
      yield* purgeAsSuperuser
      assert.strictEqual(yield* tagOf(walkChanges(next.cursor)), "CursorExpired")
    }).pipe(asNewUser)
  )

  it.effect("a purge expires a reader in the middle of the feed, who then reads everything from the start", () =>
    Effect.gen(function* () {
      const changes = yield* Changes
      const todos = yield* Todos
      const first = yield* todos.create({ title: "shown, then purged" })
      yield* todos.create({ title: "b" })
      const page = yield* changes.page({ limit: 1 })
      yield* todos.delete(first.id)
      yield* purgeAsSuperuser
      assert.strictEqual(yield* tagOf(changes.page({ since: page.nextCursor })), "CursorExpired")
      assert.deepStrictEqual(new Fold().add((yield* walkChanges()).changes).rows, yield* asSuperuser(stored))
    }).pipe(asNewUser)
  )

  it.effect("the horizon of one user does not affect another user", () =>
    Effect.gen(function* () {
      const changes = yield* Changes
      const todos = yield* Todos
      const other = newUser()
      yield* todos.create({ title: "a" })
      const { nextCursor } = yield* changes.page({})
      yield* todos.create({ title: "b" })
      yield* Effect.gen(function* () {
        yield* todos.delete((yield* todos.create({ title: "x" })).id)
        yield* todos.delete((yield* todos.create({ title: "y" })).id)
        yield* purgeAsSuperuser
      }).pipe(Effect.provideService(CurrentUser, other))
      assert.lengthOf((yield* changes.page({ since: nextCursor })).changes, 1)
    }).pipe(asNewUser)
  )
})
