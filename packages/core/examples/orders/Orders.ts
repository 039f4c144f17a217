import { type TodoId, Todos } from "@todo/core"
import { Context, Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql"

class OutOfStock extends Schema.TaggedError<OutOfStock>()("OutOfStock", { article: Schema.String }) {}

const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const todos = yield* Todos
  return {
    /** Stores an order and creates a todo to pack it, or does neither. */
    place: Effect.fn("Orders.place")(function* (customer: string, article: string, pieces: number) {
      const todo = yield* todos.create({ title: `Pack ${pieces} ${article} for ${customer}` })
      yield* sql`insert into orders ${sql.insert({ customer, article, pieces, todoId: todo.id })}`
      const taken = yield* sql`
        update stock set pieces = pieces - ${pieces} where article = ${article} and pieces >= ${pieces} returning 1`
      // The failure rolls back the todo, its row in the outbox, and the order.
      if (taken.length === 0) return yield* new OutOfStock({ article })
      return todo.id
    }, sql.withTransaction),

    /** Marks the order as packed and the todo as done. */
    pack: Effect.fn("Orders.pack")(function* (todoId: TodoId) {
      yield* todos.complete(todoId)
      yield* sql`update orders set packed_at = now() where todo_id = ${todoId}`
    }, sql.withTransaction)
  }
})

/** A service of the host. Its methods need a `CurrentUser`, because the methods of `Todos` do. */
export class Orders extends Context.Service<Orders, Effect.Success<typeof make>>()("shop/Orders") {
  static readonly layer = Layer.effect(Orders, make)
}
