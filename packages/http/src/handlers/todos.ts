import { type Todo, Todos } from "@todo/core"
import * as Effect from "effect/Effect"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { HttpApiBuilder } from "effect/http-api"
import { Api } from "../api/Api.ts"
import { etag } from "../api/Etag.ts"

/** A todo as it came from the database, which needs no second look, with its entity tag. */
const tagged = (todo: Todo) => HttpServerResponse.jsonUnsafe(todo, { headers: { etag: etag(todo.revision) } })

const created = (todo: Todo) =>
  HttpServerResponse.jsonUnsafe(todo, {
    status: 201,
    headers: { etag: etag(todo.revision), location: `/v1/todos/${todo.id}` }
  })

export const layer = HttpApiBuilder.group(
  Api,
  "todos",
  Effect.fnUntraced(function* (handlers) {
    const todos = yield* Todos
    return handlers.handleAll({
      list: ({ query }) => Effect.map(todos.list(query), (page) => HttpServerResponse.jsonUnsafe(page)),
      create: ({ payload }) => Effect.map(todos.create(payload), created),
      get: ({ params }) => Effect.map(todos.get(params.id), tagged),
      put: ({ headers, params, payload }) =>
        Effect.map(
          todos.put(params.id, payload, {
            ifRevision: headers["if-match"],
            ifAbsent: headers["if-none-match"] !== undefined
          }),
          (put) => (put.created ? created(put.todo) : tagged(put.todo))
        ),
      update: ({ headers, params, payload }) =>
        Effect.map(todos.update(params.id, payload, { ifRevision: headers["if-match"] }), tagged),
      delete: ({ headers, params }) => Effect.asVoid(todos.delete(params.id, { ifRevision: headers["if-match"] })),
      restore: ({ headers, params }) =>
        Effect.map(todos.restore(params.id, { ifRevision: headers["if-match"] }), tagged)
    })
  })
)
