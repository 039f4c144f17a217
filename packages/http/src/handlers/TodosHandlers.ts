import { type Todo, Todos } from "@todo/core"
import * as Effect from "effect/Effect"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { HttpApiBuilder } from "effect/http-api"
import { Api } from "../api/Api.ts"
import { responses, writeOptions } from "./ResourceResponse.ts"

const { created, ok, okUnlessMatched, page } = responses<Todo>("/v1/todos")

export const layer = HttpApiBuilder.group(
  Api,
  "todos",
  Effect.fnUntraced(function* (handlers) {
    const todos = yield* Todos
    return handlers.handleAll({
      list: ({ query }) => Effect.map(todos.list(query), page),
      create: ({ headers, payload }) =>
        Effect.map(todos.create(payload, { idempotencyKey: headers["idempotency-key"] }), created),
      get: ({ headers, params }) => Effect.map(todos.get(params.id), okUnlessMatched(headers["if-none-match"])),
      put: ({ headers, params, payload }) =>
        Effect.map(
          todos.put(params.id, payload, {
            ifRevision: headers["if-match"],
            ifAbsent: headers["if-none-match"] !== undefined
          }),
          (put) => (put.created ? created(put.todo) : ok(put.todo))
        ),
      update: ({ headers, params, payload }) =>
        Effect.map(todos.update(params.id, payload, { ifRevision: headers["if-match"] }), ok),
      delete: ({ headers, params }) => Effect.asVoid(todos.delete(params.id, { ifRevision: headers["if-match"] })),
      restore: ({ headers, params }) => Effect.map(todos.restore(params.id, writeOptions(headers)), ok),
      move: ({ headers, params, payload }) => Effect.map(todos.move(params.id, payload, writeOptions(headers)), ok),
      batch: ({ headers, payload }) =>
        Effect.map(todos.batch(payload.operations, { idempotencyKey: headers["idempotency-key"] }), (written) =>
          HttpServerResponse.jsonUnsafe({ results: written.map((todo, index) => ({ index, todo })) })
        )
    })
  })
)
