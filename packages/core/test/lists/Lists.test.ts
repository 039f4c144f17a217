import { assert, layer } from "@effect/vitest"
import { ListId, Lists, Todos } from "@todo/core"
import { Effect } from "effect"
import { randomUUID } from "node:crypto"
import { asNewUser, failureOf, ids, live, services, tagOf } from "../support/suite.ts"

const newListId = () => ListId.make(randomUUID())

/** A list with three todos; the last one is in the trash. */
const filled = Effect.gen(function* () {
  const todos = yield* Todos
  const lists = yield* Lists
  const list = yield* lists.create({ name: "Work" })
  const first = yield* todos.create({ title: "first", listId: list.id })
  const second = yield* todos.create({ title: "second", listId: list.id })
  const third = yield* todos.create({ title: "third", listId: list.id })
  return { todos, lists, list, first, second, trashed: yield* todos.delete(third.id) }
})

layer(services, live)("Lists", (it) => {
  it.effect("create adds a list at the end, and get returns it", () =>
    Effect.gen(function* () {
      const lists = yield* Lists
      const created = yield* lists.create({ name: "Work" })
      const { createdAt, id: _, updatedAt, ...fields } = created
      assert.deepStrictEqual(fields, { name: "Work", position: "a1", revision: 1, deletedAt: null })
      assert.strictEqual(createdAt, updatedAt)
      assert.deepStrictEqual(yield* lists.get(created.id), created)
      const second = yield* lists.create({ name: "Home" })
      assert.deepStrictEqual(yield* lists.list({ count: true }), {
        items: [created, second],
        nextCursor: null,
        total: 2
      })
    }).pipe(asNewUser)
  )

  it.effect("put creates a list under an id of the caller, or replaces it, and with ifAbsent only creates", () =>
    Effect.gen(function* () {
      const lists = yield* Lists
      const id = newListId()
      const { created, list } = yield* lists.put(id, { name: "a" }, { ifAbsent: true })
      assert.isTrue(created)
      assert.strictEqual(list.id, id)
      const refused = yield* Effect.flip(lists.put(id, { name: "b" }, { ifAbsent: true }))
      assert.deepInclude(refused, { _tag: "RevisionMismatch", current: 1 })
      const replaced = yield* lists.put(id, { name: "b" })
      assert.isFalse(replaced.created)
      assert.deepStrictEqual(replaced.list, { ...list, name: "b", revision: 2, updatedAt: replaced.list.updatedAt })
      const missing = yield* Effect.flip(lists.put(newListId(), { name: "b" }, { ifRevision: "*" }))
      assert.deepInclude(missing, { _tag: "RevisionMismatch", current: null })
    }).pipe(asNewUser)
  )

  it.effect("a write that changes nothing keeps the revision", () =>
    Effect.gen(function* () {
      const lists = yield* Lists
      const list = yield* lists.create({ name: "a" })
      const writes = [
        lists.update(list.id, {}),
        lists.update(list.id, { name: "a" }),
        Effect.map(lists.put(list.id, { name: "a" }), (put) => put.list),
        lists.restore(list.id),
        lists.move(list.id, { after: list.id })
      ]
      for (const write of writes) assert.deepStrictEqual(yield* write, list)
      assert.strictEqual((yield* lists.create({ name: "b" })).revision, list.revision + 1)
    }).pipe(asNewUser)
  )

  it.effect("every write fails with RevisionMismatch if the list is at none of the expected revisions", () =>
    Effect.gen(function* () {
      const { list, lists } = yield* filled
      const { id } = list
      for (const ifRevision of [[], [list.revision + 1], list.revision + 1]) {
        const writes = [
          lists.put(id, { name: "b" }, { ifRevision }),
          lists.update(id, { name: "b" }, { ifRevision }),
          lists.delete(id, { ifRevision, todos: "trash" }),
          lists.restore(id, { ifRevision }),
          lists.move(id, { before: id }, { ifRevision })
        ]
        for (const write of writes) {
          assert.deepInclude(yield* failureOf(write), { _tag: "RevisionMismatch", current: list.revision })
        }
      }
      const renamed = yield* lists.update(id, { name: "b" }, { ifRevision: list.revision })
      assert.strictEqual((yield* lists.update(id, { name: "c" }, { ifRevision: "*" })).revision, renamed.revision + 1)
    }).pipe(asNewUser)
  )

  it.effect("delete without the option todos refuses a list with todos, and changes nothing", () =>
    Effect.gen(function* () {
      const { first, list, lists, second, todos } = yield* filled
      assert.strictEqual(yield* tagOf(lists.delete(list.id)), "ListNotEmpty")
      assert.deepStrictEqual(yield* lists.get(list.id), list)
      assert.deepStrictEqual((yield* todos.list({ listId: list.id })).items, [first, second])
    }).pipe(asNewUser)
  )

  it.effect("delete accepts a list whose todos are all in the trash", () =>
    Effect.gen(function* () {
      const { first, list, lists, second, todos, trashed } = yield* filled
      yield* todos.batch([
        { op: "delete", id: first.id },
        { op: "delete", id: second.id }
      ])
      assert.isNotNull((yield* lists.delete(list.id)).deletedAt)
      assert.deepInclude((yield* todos.list({ deleted: true })).items, trashed)
    }).pipe(asNewUser)
  )

  it.effect("delete with trash moves each todo to the trash as its own change, and keeps those that were there", () =>
    Effect.gen(function* () {
      const { first, list, lists, second, todos, trashed } = yield* filled
      const other = yield* todos.create({ title: "in no list" })
      const deleted = yield* lists.delete(list.id, { todos: "trash" })
      assert.strictEqual(deleted.deletedAt, deleted.updatedAt)
      assert.deepStrictEqual((yield* todos.list({})).items, [other])
      const { deletedAt, revision, updatedAt } = deleted
      assert.deepStrictEqual((yield* todos.list({ deleted: true })).items, [
        { ...first, deletedAt, updatedAt, revision: revision + 1 },
        { ...second, deletedAt, updatedAt, revision: revision + 2 },
        trashed
      ])
    }).pipe(asNewUser)
  )

  it.effect("delete with keep leaves the todos without a list", () =>
    Effect.gen(function* () {
      const { first, list, lists, second, todos, trashed } = yield* filled
      const { revision, updatedAt } = yield* lists.delete(list.id, { todos: "keep" })
      assert.deepStrictEqual((yield* todos.list({})).items, [
        { ...first, listId: null, updatedAt, revision: revision + 1 },
        { ...second, listId: null, updatedAt, revision: revision + 2 }
      ])
      assert.deepStrictEqual((yield* todos.list({ deleted: true })).items, [trashed])
    }).pipe(asNewUser)
  )

  it.effect("only restore finds a list in the trash, and it restores the list without its todos", () =>
    Effect.gen(function* () {
      const { list, lists, todos } = yield* filled
      const { id } = list
      yield* lists.delete(id, { todos: "trash" })
      const writes = [
        lists.get(id),
        lists.update(id, { name: "b" }),
        lists.delete(id),
        lists.move(id, { before: id }),
        todos.create({ title: "a", listId: id })
      ]
      for (const write of writes) assert.strictEqual(yield* tagOf(write), "ListNotFound")
      const put = yield* Effect.flip(lists.put(id, { name: "b" }))
      assert.deepInclude(put, { _tag: "Conflict", reason: "in-trash" })
      assert.deepStrictEqual(ids((yield* lists.list({ deleted: true })).items), [id])
      const restored = yield* lists.restore(id)
      assert.deepStrictEqual(restored, { ...list, revision: restored.revision, updatedAt: restored.updatedAt })
      assert.deepStrictEqual((yield* todos.list({ listId: id })).items, [])
      assert.lengthOf((yield* todos.list({ listId: id, deleted: true })).items, 3)
    }).pipe(asNewUser)
  )

  it.effect("an unknown id is ListNotFound", () =>
    Effect.gen(function* () {
      const lists = yield* Lists
      const id = newListId()
      const foreign = yield* lists.create({ name: "theirs" }).pipe(asNewUser)
      for (const attempt of [id, foreign.id].flatMap((id) => [
        lists.get(id),
        lists.update(id, { name: "a" }),
        lists.delete(id),
        lists.restore(id),
        lists.move(id, { before: id })
      ])) {
        assert.strictEqual(yield* tagOf(attempt), "ListNotFound")
      }
    }).pipe(asNewUser)
  )

  it.effect("a name has 1 to 200 code points, one of them visible", () =>
    Effect.gen(function* () {
      const lists = yield* Lists
      const { id } = yield* lists.create({ name: "🦉".repeat(200) })
      for (const name of ["", " ", "\u3000\n", "🦉".repeat(201), "a\u0000", "\ud83e"]) {
        assert.strictEqual(yield* tagOf(lists.create({ name })), "InvalidInput")
        assert.strictEqual(yield* tagOf(lists.put(id, { name })), "InvalidInput")
        assert.strictEqual(yield* tagOf(lists.update(id, { name })), "InvalidInput")
      }
      for (const extra of [{ name: "a", position: "a0" }, { name: "a", id }, {}]) {
        assert.strictEqual(yield* tagOf(lists.create(extra as never)), "InvalidInput")
      }
    }).pipe(asNewUser)
  )
})
