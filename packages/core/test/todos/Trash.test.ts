import { assert, layer } from "@effect/vitest"
import { Lists, Todos } from "@todo/core"
import { Effect } from "effect"
import { asNewUser, live, services, tagOf } from "../support/suite.ts"

const full = { title: "Call Ada", description: "about the engine", completed: true, tags: ["work"] }

/** A todo in a list. */
const inList = Effect.gen(function* () {
  const todos = yield* Todos
  const lists = yield* Lists
  const list = yield* lists.create({ name: "Work" })
  return { todos, lists, list, todo: yield* todos.create({ ...full, listId: list.id }) }
})

layer(services, live)("the trash", (it) => {
  it.effect("only restore finds a todo in the trash, and restores it unchanged", () =>
    Effect.gen(function* () {
      const { todo, todos } = yield* inList
      const { id } = todo
      const anchor = yield* todos.create({ title: "anchor" })
      const trashed = yield* todos.delete(id)
      assert.deepStrictEqual(
        { ...trashed, deletedAt: null },
        {
          ...todo,
          revision: trashed.revision,
          updatedAt: trashed.updatedAt
        }
      )
      assert.strictEqual(trashed.deletedAt, trashed.updatedAt)
      const writes = [
        todos.get(id),
        todos.update(id, { title: "b" }),
        todos.complete(id),
        todos.reopen(id),
        todos.delete(id),
        todos.move(id, { after: anchor.id }),
        todos.move(anchor.id, { after: id }),
        todos.batch([{ op: "update", id, patch: {} }])
      ]
      for (const write of writes) assert.strictEqual(yield* tagOf(write), "TodoNotFound")
      for (const options of [{}, { ifAbsent: true }, { ifRevision: "*" as const }]) {
        assert.deepInclude(yield* Effect.flip(todos.put(id, full, options)), { _tag: "Conflict", reason: "in-trash" })
      }
      assert.deepStrictEqual((yield* todos.list({ deleted: true })).items, [trashed])
      const restored = yield* todos.restore(id)
      assert.deepStrictEqual(restored, { ...todo, revision: restored.revision, updatedAt: restored.updatedAt })
    }).pipe(asNewUser)
  )

  it.effect("restore removes the todo from a list in the trash, and keeps it in a restored list", () =>
    Effect.gen(function* () {
      const { list, lists, todo, todos } = yield* inList
      yield* lists.delete(list.id, { todos: "trash" })
      assert.isNull((yield* todos.restore(todo.id)).listId)
      const second = yield* lists.create({ name: "Home" })
      yield* todos.update(todo.id, { listId: second.id })
      yield* lists.delete(second.id, { todos: "trash" })
      yield* lists.restore(second.id)
      assert.strictEqual((yield* todos.restore(todo.id)).listId, second.id)
    }).pipe(asNewUser)
  )
})
