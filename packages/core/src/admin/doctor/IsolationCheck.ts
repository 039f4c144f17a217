/**
 * Two new users try to reach each other's todo, through the services and with plain SQL. The transaction is rolled back,
 * so the probe leaves no rows.
 */
import { randomUUID } from "node:crypto"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as SqlClient from "effect/sql/SqlClient"
import type { TodoNotFound } from "../../domain/Errors.ts"
import { CurrentUser, UserId } from "../../domain/User.ts"
import * as UserScope from "../../database/UserScope.ts"
import { Todos } from "../../todos/Todos.ts"
import * as DoctorSql from "./DoctorSql.ts"
import { failed, passed } from "./Finding.ts"

/** Ends the transaction, so that it is rolled back. */
class Done extends Data.TaggedError("Done")<{ readonly leaks: ReadonlyArray<string> }> {}

export const check = (schema: string) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const leaks = yield* sql
      .withTransaction(Effect.flatMap(probe(schema), (leaks) => new Done({ leaks })))
      .pipe(Effect.catchTag("Done", ({ leaks }) => Effect.succeed(leaks)))
    return leaks.length === 0
      ? [passed("isolation", "two users could not reach each other's todos; the probe was rolled back")]
      : leaks.map((leak) =>
          failed("isolation", leak, "take the service off the network, and repair what the other checks found")
        )
  }).pipe(Effect.provide(Todos.layer))

const as = (name: string) => Effect.provideService(CurrentUser, { id: UserId.make(`doctor-${name}-${randomUUID()}`) })

const probe = Effect.fnUntraced(function* (schema: string) {
  const sql = yield* SqlClient.SqlClient
  const todos = yield* Todos
  const { read } = yield* UserScope.make
  const [alice, bob] = [as("a"), as("b")]

  const { id } = yield* alice(todos.create({ title: "doctor" }))
  const found = {
    "the owner does not find the todo": Effect.map(reaches(alice(todos.get(id))), (found) => !found),
    "another user can read the todo": reaches(bob(todos.get(id))),
    "another user can list the todo": Effect.map(bob(todos.list({})), ({ items }) => isAny(items)),
    "another user can change the todo": reaches(bob(todos.update(id, { title: "taken" }))),
    "another user can delete the todo": reaches(bob(todos.delete(id))),
    "a statement that forgets the owner reaches another user's todo": Effect.map(
      bob(read(DoctorSql.todoOfAnyone(schema))(id)),
      isAny
    ),
    "a statement without a user reaches the todo": Effect.map(
      sql.unsafe(DoctorSql.todoWithoutUser(schema), [id]),
      isAny
    )
  }
  const leaks: Array<string> = []
  for (const [leak, happened] of Object.entries(found)) {
    if (yield* happened) leaks.push(leak)
  }
  return leaks
})

const reaches = <A, E, R>(self: Effect.Effect<A, E | TodoNotFound, R>) =>
  self.pipe(
    Effect.as(true),
    Effect.catchTag("TodoNotFound", () => Effect.succeed(false))
  )

const isAny = (rows: ReadonlyArray<unknown>): boolean => rows.length > 0
