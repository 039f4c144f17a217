import { type TodoId, Todos } from "@todo/core"
import { Context, Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql"

class OutOfStock extends Schema.TaggedError<OutOfStock>()("OutOfStock", { article: Schema.String }) {}

const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const todos = yield* Todos
  return {
    /** Takes an order and makes a todo of it for who packs, or does neither. */
    place: Effect.fn("Orders.place")(function* (customer: string, article: string, pieces: number) {
      const todo = yield* todos.create({ title: `Pack ${pieces} ${article} for ${customer}` })
      yield* sql`insert into orders ${sql.insert({ customer, article, pieces, todoId: todo.id })}`
      const taken = yield* sql`
        update stock set pieces = pieces - ${pieces} where article = ${article} and pieces >= ${pieces} returning 1`
      // By now there is a todo, its row in the outbox, and an order; all of them go.
      if (taken.length === 0) return yield* new OutOfStock({ article })
      return todo.id
    }, sql.withTransaction),

    /** Marks it packed: the todo done, and the order too. */
    pack: Effect.fn("Orders.pack")(function* (todoId: TodoId) {
      yield* todos.complete(todoId)
      yield* sql`update orders set packed_at = now() where todo_id = ${todoId}`
    }, sql.withTransaction)
  }
})

/** The host's own service. Its methods need a `CurrentUser`, since those of `Todos` do. */
export class Orders extends Context.Service<Orders, Effect.Success<typeof make>>()("shop/Orders") {
  static readonly layer = Layer.effect(Orders, make)
}
