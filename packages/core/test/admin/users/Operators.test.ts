import { assert, layer } from "@effect/vitest"
import { CurrentUser, SchemaName, Services, Todos } from "@todo/core"
import { Purge } from "@todo/core/admin"
import { newUser } from "@todo/core/testing"
import { Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { onBehalfOf, overAllUsers } from "../../../src/database/OperatorScope.ts"
import { forEachUser } from "../../../src/database/UserScopeSql.ts"
import { asOwner } from "../../support/connections.ts"
import { layerDatabase } from "../../support/host.ts"

const rowsOf = (statement: string) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    Effect.map(sql.unsafe(statement).values, (rows) => rows.flat().map(String))
  )

const users = rowsOf("select id from todo.users order by id")
const owners = rowsOf("select distinct owner_id from todo.todos order by 1")

layer(Services.layer.pipe(Layer.provideMerge(layerDatabase)))("operators", (it) => {
  const made = Effect.gen(function* () {
    const todos = yield* Todos
    const [a, b] = [newUser(), newUser()]
    for (const user of [a, b]) {
      yield* Effect.provideService(todos.create({ title: "Buy milk" }), CurrentUser, user)
    }
    return [a.id, b.id] as const
  })

  it.effect("operators can list all users, but see no todos", () =>
    Effect.gen(function* () {
      const ids = yield* made
      const seen = yield* asOwner(overAllUsers(Effect.all({ users, owners })))
      assert.includeMembers(seen.users, [...ids])
      assert.deepStrictEqual(seen.owners, [])
    })
  )

  it.effect("an operation on all users names `migrate up` if the schema is missing", () =>
    Effect.gen(function* () {
      const exit = yield* Effect.exit(asOwner(Purge.plan({ olderThan: 0 })))
      assert.match(String(exit), /schema \\?"not_there\\?" is at version 0.*migrate up/)
    }).pipe(Effect.provideService(SchemaName, "not_there"))
  )

  it.effect("operators who act for a user see only the rows of that user", () =>
    Effect.gen(function* () {
      const [a] = yield* made
      const seen = yield* asOwner(onBehalfOf(a)(Effect.all({ users, owners })))
      assert.deepStrictEqual(seen, { users: [a], owners: [a] })
    })
  )

  it.effect("operators can act for several users in turn, and see the rows of each", () =>
    Effect.gen(function* () {
      const ids = yield* made
      const counted = rowsOf(`select u.id from todo.users u ${forEachUser}
        cross join lateral (select count(*) as held from todo.todos where owner_id = me.id offset 0) t where held = 1`)
      assert.includeMembers(yield* asOwner(overAllUsers(counted)), [...ids])
    })
  )

  it.effect("operators see no users outside such a transaction", () =>
    Effect.gen(function* () {
      yield* made
      assert.deepStrictEqual(yield* asOwner(Effect.andThen(overAllUsers(users), users)), [])
    })
  )

  it.effect("the role of servers cannot act as an operator", () =>
    Effect.gen(function* () {
      yield* made
      assert.deepStrictEqual(yield* overAllUsers(users), [])
    })
  )
})
