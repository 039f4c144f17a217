import { assert, layer } from "@effect/vitest"
import { CurrentUser, ListId, Lists, TodoId, Todos } from "@todo/core"
import { newUser } from "@todo/core/testing"
import { Effect, Schema } from "effect"
import { randomUUID } from "node:crypto"
import { asSuperuser } from "../support/connections.ts"
import { asNewUser, failureOf, live, newTodoId, query, services, tagOf } from "../support/suite.ts"

const full = {
  title: "Call Ada",
  description: "about the engine",
  completed: true,
  priority: "high",
  due: { dateTime: "2026-12-01T09:00:00", timeZone: "Europe/Paris" },
  tags: ["work", "phone"]
} as const

/** A todo with every field set, in a list. */
const inList = Effect.gen(function* () {
  const todos = yield* Todos
  const lists = yield* Lists
  const list = yield* lists.create({ name: "Work" })
  return { todos, lists, list, todo: yield* todos.create({ ...full, listId: list.id }) }
})

const revision = Effect.flatMap(CurrentUser, ({ id }) =>
  Effect.map(
    asSuperuser(query<{ revision: bigint }>("select revision from todo.users where id = $1", [id])),
    ([row]) => row?.revision
  )
)

layer(services, live)("Todos", (it) => {
  it.effect("create sets defaults for fields that are left out, and get returns the same todo", () =>
    Effect.gen(function* () {
      const todos = yield* Todos
      const created = yield* todos.create({ title: "Buy milk" })
      const { createdAt, id, updatedAt, ...fields } = created
      assert.deepStrictEqual(fields, {
        title: "Buy milk",
        description: null,
        completed: false,
        completedAt: null,
        priority: "none",
        due: null,
        tags: [],
        listId: null,
        position: "a1",
        revision: 1,
        deletedAt: null
      })
      assert.isTrue(Schema.is(TodoId)(id))
      assert.match(id, /^.{14}7/)
      assert.match(createdAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
      assert.strictEqual(updatedAt, createdAt)
      assert.deepStrictEqual(yield* todos.get(id), created)
    }).pipe(asNewUser)
  )

  it.effect("create stores every field", () =>
    Effect.gen(function* () {
      const { list, todo } = yield* inList
      assert.deepInclude(todo, { ...full, listId: list.id, completedAt: todo.createdAt })
    }).pipe(asNewUser)
  )

  it.effect("update changes the fields of the patch, and null clears a field", () =>
    Effect.gen(function* () {
      const { todo, todos } = yield* inList
      const renamed = yield* todos.update(todo.id, { title: "Call Grace" })
      assert.deepStrictEqual(renamed, {
        ...todo,
        title: "Call Grace",
        revision: todo.revision + 1,
        updatedAt: renamed.updatedAt
      })
      const cleared = yield* todos.update(todo.id, { description: null, due: null, listId: null, tags: [] })
      assert.deepStrictEqual(cleared, {
        ...renamed,
        description: null,
        due: null,
        listId: null,
        tags: [],
        revision: todo.revision + 2,
        updatedAt: cleared.updatedAt
      })
      const dated = yield* todos.update(todo.id, { due: { date: "2026-12-24" } })
      assert.deepStrictEqual(dated.due, { date: "2026-12-24" })
    }).pipe(asNewUser)
  )

  it.effect("a write that changes nothing keeps the revisions of the todo and of the user", () =>
    Effect.gen(function* () {
      const { list, todo, todos } = yield* inList
      const other = yield* todos.create({ title: "other" })
      const before = yield* revision
      const writes = {
        "an empty update": todos.update(todo.id, {}),
        "an update with equal values": todos.update(todo.id, { ...full, listId: list.id }),
        "a put with equal values": Effect.map(todos.put(todo.id, { ...full, listId: list.id }), (put) => put.todo),
        complete: todos.complete(todo.id),
        restore: todos.restore(todo.id),
        "a move before itself": todos.move(todo.id, { before: todo.id }),
        "a move to the same place": todos.move(todo.id, { before: other.id }),
        "a batch": Effect.map(
          todos.batch([{ op: "update", id: todo.id, patch: { title: full.title } }]),
          ([row]) => row
        )
      }
      for (const [name, write] of Object.entries(writes)) assert.deepStrictEqual(yield* write, todo, name)
      assert.deepStrictEqual(yield* todos.reopen(other.id), other)
      assert.strictEqual(yield* revision, before)
    }).pipe(asNewUser)
  )

  it.effect("put creates a todo under an id of the caller, and then replaces all fields that a client may set", () =>
    Effect.gen(function* () {
      const { list, todos } = yield* inList
      const id = newTodoId()
      const first = yield* todos.put(id, { ...full, listId: list.id })
      assert.isTrue(first.created)
      assert.strictEqual(first.todo.id, id)
      const second = yield* todos.put(id, { title: "only this" })
      assert.isFalse(second.created)
      assert.deepStrictEqual(second.todo, {
        ...first.todo,
        title: "only this",
        description: null,
        completed: false,
        completedAt: null,
        priority: "none",
        due: null,
        tags: [],
        listId: null,
        revision: first.todo.revision + 1,
        updatedAt: second.todo.updatedAt
      })
    }).pipe(asNewUser)
  )

  it.effect("put with ifAbsent creates a todo, and never replaces one", () =>
    Effect.gen(function* () {
      const todos = yield* Todos
      const id = newTodoId()
      const { todo } = yield* todos.put(id, { title: "first" }, { ifAbsent: true })
      const refused = yield* Effect.flip(todos.put(id, { title: "second" }, { ifAbsent: true }))
      assert.deepInclude(refused, { _tag: "RevisionMismatch", current: todo.revision })
      assert.deepStrictEqual(yield* todos.get(id), todo)
      assert.isFalse((yield* todos.put(id, { title: "third" }, { ifAbsent: false })).created)
    }).pipe(asNewUser)
  )

  it.effect(
    "every write fails with RevisionMismatch and the current revision if the todo is at none of the expected ones",
    () =>
      Effect.gen(function* () {
        const todos = yield* Todos
        const { id } = yield* todos.create({ title: "a" })
        const anchor = yield* todos.create({ title: "b" })
        const todo = yield* todos.update(id, { title: "c" })
        const other = { ifRevision: [1, todo.revision + 1, 10 ** 9] }
        const writes = {
          update: todos.update(id, { title: "d" }, other),
          "an empty update": todos.update(id, {}, other),
          complete: todos.complete(id, other),
          reopen: todos.reopen(id, other),
          delete: todos.delete(id, other),
          restore: todos.restore(id, other),
          move: todos.move(id, { after: anchor.id }, other),
          put: todos.put(id, { title: "d" }, other),
          "a put that expects none": todos.put(id, { title: "d" }, { ifRevision: [] }),
          "an update that expects an earlier revision": todos.update(id, { title: "d" }, { ifRevision: 1 }),
          "a restore that expects a later revision": todos.restore(id, { ifRevision: todo.revision + 1 }),
          "a batch of a delete": todos.batch([{ op: "delete", id, ifRevision: 1 }]),
          "a batch of an update": todos.batch([{ op: "update", id, patch: { title: "d" }, ...other }]),
          "a batch that expects none": todos.batch([{ op: "delete", id, ifRevision: [] }])
        }
        for (const [name, write] of Object.entries(writes)) {
          assert.deepInclude(yield* failureOf(write), { _tag: "RevisionMismatch", current: todo.revision }, name)
        }
        assert.deepStrictEqual(yield* todos.get(id), todo)
        const changed = yield* todos.update(id, { title: "d" }, { ifRevision: [1, todo.revision] })
        assert.strictEqual(changed.title, "d")
        assert.strictEqual((yield* todos.update(id, { title: "e" }, { ifRevision: "*" })).title, "e")
        const { revision } = yield* todos.update(id, { title: "f" }, { ifRevision: changed.revision + 1 })
        const last = yield* todos.batch([
          { op: "update", id, patch: { title: "g" }, ifRevision: [1, revision] },
          { op: "update", id, patch: { title: "h" }, ifRevision: "*" },
          { op: "delete", id, ifRevision: revision + 2 }
        ])
        assert.deepStrictEqual(
          last.map(({ revision }) => revision),
          [1, 2, 3].map((n) => revision + n)
        )
      }).pipe(asNewUser)
  )

  it.effect("put with ifRevision under an unknown id is RevisionMismatch with null, also for a new user", () =>
    Effect.gen(function* () {
      const todos = yield* Todos
      for (const ifRevision of ["*", [1]] as const) {
        const refused = yield* Effect.flip(todos.put(newTodoId(), { title: "a" }, { ifRevision }))
        assert.deepInclude(refused, { _tag: "RevisionMismatch", current: null })
      }
      assert.isUndefined(yield* revision)
      yield* todos.create({ title: "a" })
      const refused = yield* Effect.flip(todos.put(newTodoId(), { title: "a" }, { ifRevision: "*" }))
      assert.deepInclude(refused, { _tag: "RevisionMismatch", current: null })
    }).pipe(asNewUser)
  )

  it.effect("completedAt is the time of the first completion, until the todo is reopened", () =>
    Effect.gen(function* () {
      const todos = yield* Todos
      const { id } = yield* todos.create({ title: "a" })
      const done = yield* todos.complete(id)
      assert.strictEqual(done.completedAt, done.updatedAt)
      assert.strictEqual((yield* todos.update(id, { completed: true, title: "b" })).completedAt, done.completedAt)
      assert.strictEqual((yield* todos.put(id, { completed: true, title: "c" })).todo.completedAt, done.completedAt)
      assert.deepInclude(yield* todos.reopen(id), { completed: false, completedAt: null })
    }).pipe(asNewUser)
  )

  it.effect("a todo cannot be put into a list that is missing, in the trash, or of another user", () =>
    Effect.gen(function* () {
      const { lists, todo, todos } = yield* inList
      const trashed = yield* lists.create({ name: "old" })
      yield* lists.delete(trashed.id)
      const foreign = yield* lists.create({ name: "theirs" }).pipe(asNewUser)
      const before = yield* revision
      const unusable = { missing: ListId.make(randomUUID()), "in the trash": trashed.id, "of another user": foreign.id }
      for (const [which, listId] of Object.entries(unusable)) {
        const writes = {
          create: todos.create({ title: "a", listId }),
          update: todos.update(todo.id, { title: "a", listId }),
          "a put that replaces": todos.put(todo.id, { title: "a", listId }),
          "a put that creates": todos.put(newTodoId(), { title: "a", listId }),
          "the first create of a new user": todos.create({ title: "a", listId }).pipe(asNewUser)
        }
        for (const [name, write] of Object.entries(writes)) {
          assert.strictEqual(yield* tagOf(write), "ListNotFound", `${name}, a list ${which}`)
        }
        const batch = yield* Effect.flip(todos.batch([{ op: "create", todo: { title: "a", listId } }]))
        assert.deepInclude(batch, { _tag: "ListNotFound", index: 0 }, `batch, a list ${which}`)
      }
      assert.deepStrictEqual(yield* todos.get(todo.id), todo)
      assert.strictEqual(yield* revision, before)
    }).pipe(asNewUser)
  )

  it.effect("a disabled user can read, but cannot write", () =>
    Effect.gen(function* () {
      const { list, lists, todo, todos } = yield* inList
      const user = yield* CurrentUser
      yield* asSuperuser(query("update todo.users set disabled_at = now() where id = $1", [user.id]))
      const { id } = todo
      const writes = {
        create: todos.create({ title: "a" }),
        put: todos.put(newTodoId(), { title: "a" }),
        update: todos.update(id, { title: "a" }),
        complete: todos.complete(id),
        reopen: todos.reopen(id),
        delete: todos.delete(id),
        "a delete of an unknown todo": todos.delete(newTodoId()),
        restore: todos.restore(id),
        move: todos.move(id, { before: id }),
        batch: todos.batch([{ op: "delete", id }]),
        "the creation of a list": lists.create({ name: "a" }),
        "the deletion of a list": lists.delete(list.id, { todos: "trash" })
      }
      for (const [name, write] of Object.entries(writes)) {
        assert.strictEqual(yield* tagOf(write), "UserDisabled", name)
      }
      assert.deepStrictEqual((yield* todos.list({})).items, [todo])
      assert.deepStrictEqual(yield* lists.get(list.id), list)
    }).pipe(asNewUser)
  )

  it.effect("the row of a user is created by the first successful write, and not by a failed one", () =>
    Effect.gen(function* () {
      const todos = yield* Todos
      assert.strictEqual(yield* tagOf(todos.update(newTodoId(), { title: "a" })), "TodoNotFound")
      assert.strictEqual(yield* tagOf(todos.create({ title: " " })), "InvalidInput")
      const batch = todos.batch([
        { op: "create", todo: { title: "a" } },
        { op: "delete", id: newTodoId() }
      ])
      assert.deepInclude(yield* Effect.flip(batch), { _tag: "TodoNotFound", index: 1 })
      assert.isUndefined(yield* revision)
      const { revision: first } = yield* todos.create({ title: "a" })
      assert.strictEqual(first, 1)
      assert.strictEqual(yield* revision, 1n)
    }).pipe(asNewUser)
  )

  it.effect("ten concurrent first writes of a new user create ten todos", () =>
    Effect.gen(function* () {
      const todos = yield* Todos
      const created = yield* Effect.forEach([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], (n) => todos.create({ title: `${n}` }), {
        concurrency: 10
      })
      assert.strictEqual(new Set(created.map(({ revision }) => revision)).size, 10)
    }).pipe(Effect.provideService(CurrentUser, newUser()))
  )

  it.effect("unknown fields and invalid values are refused, and the messages do not repeat them", () =>
    Effect.gen(function* () {
      const todos = yield* Todos
      const attempts = [
        todos.create({ title: "a", secret: 1 } as never),
        todos.create({ title: "secret".repeat(100) }),
        todos.update(newTodoId(), { due: { date: "secret" } }),
        todos.create({ title: "a", due: { date: "2026-01-01", timeZone: "UTC" } as never }),
        todos.list({ q: "a", sort: "secret" as never }),
        todos.batch([{ op: "create", todo: { title: "a", secret: 1 } as never }])
      ]
      for (const attempt of attempts) {
        const refused = yield* failureOf(attempt)
        assert.strictEqual(refused._tag, "InvalidInput")
        assert.notMatch(JSON.stringify(refused).replace(/"pointer":"[^"]*"/g, ""), /secret/)
      }
    }).pipe(asNewUser)
  )
})
