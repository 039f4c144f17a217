import { Lists, type TodoList } from "@todo/core"
import * as Effect from "effect/Effect"
import { HttpApiBuilder } from "effect/http-api"
import { Api } from "../api/Api.ts"
import { responses, writeOptions } from "./ResourceResponse.ts"

const { created, ok, okUnlessMatched, page } = responses<TodoList>("/v1/lists")

export const layer = HttpApiBuilder.group(
  Api,
  "lists",
  Effect.fnUntraced(function* (handlers) {
    const lists = yield* Lists
    return handlers.handleAll({
      list: ({ query }) => Effect.map(lists.list(query), page),
      create: ({ headers, payload }) =>
        Effect.map(lists.create(payload, { idempotencyKey: headers["idempotency-key"] }), created),
      get: ({ headers, params }) => Effect.map(lists.get(params.id), okUnlessMatched(headers["if-none-match"])),
      put: ({ headers, params, payload }) =>
        Effect.map(
          lists.put(params.id, payload, {
            ifRevision: headers["if-match"],
            ifAbsent: headers["if-none-match"] !== undefined
          }),
          (put) => (put.created ? created(put.list) : ok(put.list))
        ),
      update: ({ headers, params, payload }) =>
        Effect.map(lists.update(params.id, payload, { ifRevision: headers["if-match"] }), ok),
      delete: ({ headers, params, query }) =>
        Effect.asVoid(lists.delete(params.id, { ifRevision: headers["if-match"], todos: query.todos })),
      restore: ({ headers, params }) => Effect.map(lists.restore(params.id, writeOptions(headers)), ok),
      move: ({ headers, params, payload }) => Effect.map(lists.move(params.id, payload, writeOptions(headers)), ok)
    })
  })
)
