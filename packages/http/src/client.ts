/**
 * A typed client of the HTTP API, derived from its contract. Runs in a browser.
 */
import * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import { HttpApiClient, HttpApiMiddleware } from "effect/http-api"
import { Api } from "./api/Api.ts"
import { Authorization } from "./api/Authorization.ts"

export * from "./api.ts"
export { type SubscribeError, subscribe } from "./Subscription.ts"
export * from "@todo/core/domain"

export interface ClientOptions {
  /** Where the server is: `https://todo.example.com`. */
  readonly url: string | URL
  /** Asked before each request, so that it can renew what it gives. */
  readonly token: Effect.Effect<Redacted.Redacted>
}

/**
 * A method for each endpoint, `client.todos.create({ payload: { title: "Buy milk" } })`,
 * whose errors are those of the core (`TodoNotFound`, `RevisionMismatch`, ...).
 */
export const make = ({ token, url }: ClientOptions) =>
  HttpApiClient.make(Api, { baseUrl: url }).pipe(
    Effect.provide(
      HttpApiMiddleware.layerClient(Authorization, ({ next, request }) =>
        Effect.flatMap(token, (token) => next(HttpClientRequest.bearerToken(request, token)))
      )
    ),
    Effect.provide(FetchHttpClient.layer)
  )
