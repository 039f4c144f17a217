import { Lists } from "@todo/core"
import * as Effect from "effect/Effect"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { HttpApiBuilder } from "effect/http-api"
import { Api } from "../api/Api.ts"
import { created, options, tagged, taggedUnless } from "./answers.ts"

const createdList = created("/v1/lists")

export const layer = HttpApiBuilder.group(
  Api,
  "lists",
  Effect.fnUntraced(function* (handlers) {
    const lists = yield* Lists
    return handlers.handleAll({
      list: ({ query }) => Effect.map(lists.list(query), (page) => HttpServerResponse.jsonUnsafe(page)),
      create: ({ headers, payload }) =>
        Effect.map(lists.create(payload, { idempotencyKey: headers["idempotency-key"] }), createdList),
      get: ({ headers, params }) => Effect.map(lists.get(params.id), taggedUnless(headers["if-none-match"])),
      put: ({ headers, params, payload }) =>
        Effect.map(
          lists.put(params.id, payload, {
            ifRevision: headers["if-match"],
            ifAbsent: headers["if-none-match"] !== undefined
          }),
          (put) => (put.created ? createdList(put.list) : tagged(put.list))
        ),
      update: ({ headers, params, payload }) =>
        Effect.map(lists.update(params.id, payload, { ifRevision: headers["if-match"] }), tagged),
      delete: ({ headers, params, query }) =>
        Effect.asVoid(lists.delete(params.id, { ifRevision: headers["if-match"], todos: query.todos })),
      restore: ({ headers, params }) => Effect.map(lists.restore(params.id, options(headers)), tagged),
      move: ({ headers, params, payload }) => Effect.map(lists.move(params.id, payload, options(headers)), tagged)
    })
  })
)
