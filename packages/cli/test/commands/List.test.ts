import { assert, describe, layer } from "@effect/vitest"
import { Lists, type Page, type TodoList, Todos } from "@todo/core"
import { TestDatabase } from "@todo/core/testing"
import { Effect } from "effect"
import { admin, assertFailed, asUser, json, newUser, atMostThree } from "../support/program.ts"

layer(TestDatabase.layer, { excludeTestServices: true })((it) => {
  describe.concurrent("todo-admin list", () => {
    it.effect("`list` adds, shows, renames, moves, deletes and restores", () =>
      Effect.gen(function* () {
        const user = newUser()
        const list = <A = TodoList>(verb: string, ...args: ReadonlyArray<string>) =>
          json<A>("list", verb, "--user", user, ...args)
        const added = yield* list("add", "Errands")
        assert.deepInclude(added, { name: "Errands", revision: 1, deletedAt: null })
        const { id } = added
        const other = yield* asUser(
          user,
          Effect.flatMap(Lists, ({ create }) => create({ name: "\u001B[31m 日本語" }))
        )

        const renamed = yield* list("rename", id, "Chores", "--if-revision", "1")
        assert.deepStrictEqual(renamed, { ...added, name: "Chores", revision: 3, updatedAt: renamed.updatedAt })
        const [shown, late, foreign, unnamed] = yield* atMostThree(
          list("show", id),
          admin("list", "rename", id, "late", "--user", user, "--if-revision", "1"),
          admin("list", "show", id, "--user", newUser()),
          admin("list", "add", " ", "--user", user)
        )
        assert.deepStrictEqual(shown, renamed)
        assertFailed(late, 4, /the revision is 3 now/)
        assertFailed(foreign, 3, /no list with this id, or it is in the trash; "todo-admin list list" prints/)
        assertFailed(unnamed, 2, /: name must /)

        yield* list("move", other.id, "--before", id)
        const [table, page] = yield* atMostThree(
          admin("list", "list", "--user", user),
          list<Page<TodoList>>("list", "--limit", "1", "--count")
        )
        assert.match(table.stdout, /^ID +NAME +REVISION\n\S+ +\uFFFD\[31m 日本語 +4\n\S+ +Chores +3\n$/)
        assert.deepStrictEqual([page.items[0]?.id, page.total], [other.id, 2])

        assert.isNotNull((yield* list("delete", id, "--yes")).deletedAt)
        const trash = yield* list<Page<TodoList>>("list", "--trash")
        assert.deepStrictEqual(
          trash.items.map(({ name }) => name),
          ["Chores"]
        )
        assert.isNull((yield* list("restore", id)).deletedAt)
      })
    )

    it.effect("`list delete` deletes a list with todos only with --todos", () =>
      Effect.gen(function* () {
        const user = newUser()
        const [kept, gone] = yield* asUser(
          user,
          Effect.gen(function* () {
            const { create } = yield* Lists
            const todos = yield* Todos
            const lists = [yield* create({ name: "kept" }), yield* create({ name: "gone" })] as const
            for (const { id, name } of lists) yield* todos.create({ title: name, listId: id })
            return lists
          })
        )
        const remove = (id: string, ...flags: ReadonlyArray<string>) =>
          admin("list", "delete", "--user", user, id, "--yes", ...flags)
        assertFailed(yield* remove(kept.id), 4, /holds todos.*add --todos trash or --todos keep/)
        const [keeping, trashing] = yield* atMostThree(
          remove(kept.id, "--todos", "keep"),
          remove(gone.id, "--todos", "trash")
        )
        assert.deepStrictEqual([keeping.code, trashing.code], [0, 0])
        assert.match(keeping.stdout, /^kept\nid +\S+\nstate +in the trash\n/)
        const left = yield* asUser(
          user,
          Effect.flatMap(Todos, ({ list }) => list({}))
        )
        assert.deepStrictEqual(
          left.items.map(({ listId, title }) => ({ listId, title })),
          [{ title: "kept", listId: null }]
        )
      })
    )
  })
})
