/** Orders and todos in one transaction, on a temporary database: `node main.ts`. */
import { CurrentUser, Services, Todos, UserId } from "@todo/core"
import { startThrowAway } from "@todo/core/postgres"
import { Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import * as database from "./database.ts"
import { Orders } from "./Orders.ts"
import * as Outbox from "./Outbox.ts"

const program = Effect.gen(function* () {
  const orders = yield* Orders
  const todos = yield* Todos
  const sql = yield* SqlClient.SqlClient

  const todo = yield* orders.place("alice", "tea", 4)
  const failure = yield* Effect.flip(orders.place("bob", "tea", 7))
  yield* orders.pack(todo)
  const refusal = yield* Effect.flip(todos.delete(todo))

  return {
    failure: failure._tag,
    refusal: refusal.message,
    todos: (yield* todos.list({})).items.map(({ completed, title }) => ({ title, completed })),
    orders: yield* sql`select customer, pieces, packed_at is not null as is_packed from orders`,
    stock: yield* sql`select * from stock`,
    outbox: yield* sql`select what, revision::int from outbox order by revision`
  }
}).pipe(Effect.provideService(CurrentUser, { id: UserId.make("packer") }))

const postgres = await startThrowAway()
const asOwner = postgres.url("postgres")
const asShop = asOwner.replace("//postgres@", "//shop@")
try {
  await Effect.runPromise(database.migrated(asOwner))
  const services = Layer.provideMerge(Orders.layer, Services.layer).pipe(
    Layer.provide(Outbox.layer),
    Layer.provideMerge(database.layer(asShop))
  )
  console.log(JSON.stringify(await Effect.runPromise(Effect.provide(program, services)), null, 2))
} finally {
  await postgres.stop()
}
