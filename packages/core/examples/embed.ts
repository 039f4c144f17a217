import { CurrentUser, Database, Migrations, Services, Todos, UserId } from "@todo/core"
import { Config, Effect, Layer } from "effect"

const program = Effect.gen(function* () {
  yield* Migrations.up()
  const todos = yield* Todos
  yield* todos.create({ title: "Buy milk", due: { date: "2999-12-01" } })
  return yield* todos.list({ due: "upcoming", timeZone: "Europe/Paris" })
}).pipe(Effect.provideService(CurrentUser, { id: UserId.make("alice") }), Effect.provide(Services.layer))

const database = Layer.unwrap(Effect.map(Config.Redacted("DATABASE_URL"), (url) => Database.layer({ url })))
console.log(await Effect.runPromise(Effect.provide(program, database)))
