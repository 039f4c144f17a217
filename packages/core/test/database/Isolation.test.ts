import { assert, describe, layer } from "@effect/vitest"
import { CurrentUser, Services, type TodoId, Todos } from "@todo/core"
import { newUser, TestDatabase } from "@todo/core/testing"
import { Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { unbounded } from "../support/connections.ts"
import { layerDatabase, layerPool } from "../support/host.ts"
import { leaks, withoutOwnerCondition, withoutRowSecurity } from "../support/guards.ts"

const options = { excludeTestServices: true }

describe("isolation", () => {
  layer(Services.layer.pipe(Layer.provideMerge(layerDatabase)), options)("with both guards", (it) => {
    it.effect("a user can neither read nor change rows of another user, nor learn that they exist", () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* leaks, [])
      })
    )
  })

  layer(Services.layer.pipe(Layer.provide(withoutOwnerCondition), Layer.provideMerge(layerDatabase)), options)(
    "without the owner in every statement",
    (it) => {
      it.effect("row-level security alone isolates users", () =>
        Effect.gen(function* () {
          assert.deepStrictEqual(yield* leaks, [])
        })
      )
    }
  )

  layer(Services.layer.pipe(Layer.provide(withoutRowSecurity), Layer.provideMerge(layerDatabase)), options)(
    "without row-level security",
    (it) => {
      it.effect("the owner in every statement alone isolates users", () =>
        Effect.gen(function* () {
          assert.deepStrictEqual(yield* leaks, [])
        })
      )
    }
  )

  layer(
    Services.layer.pipe(
      Layer.provide(withoutOwnerCondition),
      Layer.provide(withoutRowSecurity),
      Layer.provideMerge(layerDatabase)
    ),
    options
  )("without both guards", (it) => {
    it.effect("the same attempts leak rows, so the tests above can fail", () =>
      Effect.gen(function* () {
        const leaked = yield* leaks
        // Attempts that need the current revision are missing here, because the revision of B differs from that of A.
        const expected = [
          "get",
          "get together",
          "list together",
          "update",
          "update together",
          "complete",
          "move",
          "move to",
          "batch update",
          "batch delete",
          "delete",
          "restore",
          "put",
          "get list",
          "update list",
          "move list",
          "create in list",
          "update into list",
          "put into list",
          "batch into list",
          "delete list, trash",
          "restore list",
          "list lists",
          "put list",
          "changes",
          "me",
          "A's rows changed",
          "list {}",
          'list {"q":"secret"}',
          'list {"sort":"due"}'
        ]
        assert.deepStrictEqual(
          expected.filter((attempt) => !leaked.includes(attempt)),
          []
        )
      })
    )
  })
})

const poolOfFour = layerPool(4)

layer(Todos.layer.pipe(Layer.provideMerge(poolOfFour), Layer.provideMerge(TestDatabase.layer)), options)(
  "the user of a statement",
  (it) => {
    const setting = Effect.map(
      Effect.flatMap(SqlClient.SqlClient, (sql) => sql`select current_setting('todo.user_id', true)`.values),
      ([row]) => row?.[0]
    )

    it.effect(
      "10,000 reads of 20 users on a pool of 4 never return rows of another user, and todo.user_id is unset afterwards",
      () =>
        Effect.gen(function* () {
          const todos = yield* Todos
          const sql = yield* SqlClient.SqlClient
          const users = Array.from({ length: 20 }, newUser)
          yield* Effect.forEach(
            users,
            (user) =>
              Effect.forEach([1, 2, 3], (n) => todos.create({ title: `${user.id} ${n}` })).pipe(
                Effect.provideService(CurrentUser, user)
              ),
            { concurrency: 8 }
          )
          const foreign = yield* Effect.forEach(
            Array.from({ length: 10_000 }, (_, n) => users[n % users.length] ?? newUser()),
            (user) =>
              Effect.map(todos.list({}), ({ items }) =>
                items.length === 3 && items.every(({ title }) => title.startsWith(user.id)) ? 0 : 1
              ).pipe(Effect.provideService(CurrentUser, user)),
            { concurrency: 32 }
          )
          assert.strictEqual(
            foreign.reduce<number>((sum, n) => sum + n, 0),
            0
          )
          // Each transaction holds one connection, so together they check every connection of the pool.
          const left = yield* Effect.forEach(
            [1, 2, 3, 4],
            () => sql.withTransaction(Effect.delay(setting, "100 millis")),
            { concurrency: 4 }
          )
          assert.deepStrictEqual(left, ["", "", "", ""])
        })
    )

    it.effect("the user does not outlive the statement in a transaction of the host", () =>
      Effect.gen(function* () {
        const todos = yield* Todos
        const sql = yield* SqlClient.SqlClient
        const inside = yield* sql.withTransaction(
          Effect.gen(function* () {
            const { id } = yield* todos.create({ title: "in a transaction" })
            const afterWrite = yield* setting
            yield* todos.get(id)
            const afterRead = yield* setting
            const rows = yield* sql`select id from todo.todos`
            return { afterWrite, afterRead, rows }
          })
        )
        assert.deepStrictEqual(inside, { afterWrite: "", afterRead: "", rows: [] })
      }).pipe(Effect.provideService(CurrentUser, newUser()))
    )

    it.effect("a user id that the database refuses does not affect the calls of other users in the same batch", () =>
      Effect.gen(function* () {
        const todos = yield* Todos
        const [mine, other] = [newUser(), newUser()]
        const { id } = yield* Effect.provideService(todos.create({ title: "a" }), CurrentUser, mine)
        for (const bad of ["no id", "\0"]) {
          const [first, poison, last] = yield* Effect.all(
            [
              Effect.provideService(todos.get(id), CurrentUser, mine),
              Effect.provideService(Effect.exit(todos.get(bad as TodoId)), CurrentUser, other),
              Effect.provideService(todos.get(id), CurrentUser, mine)
            ],
            unbounded
          )
          assert.deepStrictEqual([first.id, poison._tag, last.id], [id, "Failure", id])
        }
      })
    )
  }
)
