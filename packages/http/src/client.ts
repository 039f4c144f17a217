/**
 * A typed client of the HTTP API, in Effects. Runs in a browser. `@todo/http/client/promise`
 * has the same calls as promises.
 *
 * @example
 * ```ts
 * import { make } from "@todo/http/client"
 *
 * const client = make({ url: "https://todo.example.com", token: Effect.succeed(Redacted.make(token)) })
 * const program = Effect.gen(function* () {
 *   const todo = yield* client.todos.create({ title: "Buy milk" })
 *   return yield* client.todos.update(todo, { completed: true })
 * })
 * ```
 */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Client from "./client/Client.ts"
import type { ClientSettings } from "./client/Transport.ts"

export type { Client, Lists, NewTodo, Todo, TodoList, TodoOperation, Todos } from "./client/Client.ts"
export * from "./client/ClientError.ts"
export type { Collection, IfAbsent, IfRevision, Keyed, Overwrite } from "./client/Collection.ts"
export type { Change, LiveChange, SubscribeError, SubscribeOptions } from "./client/Subscription.ts"
export type { ClientSettings } from "./client/Transport.ts"

/** What a client is made of. */
export interface ClientOptions extends ClientSettings {
  /**
   * The bearer token, asked for before each request, so that it can be renewed, and once more
   * where one was refused. None where requests are authenticated otherwise.
   */
  readonly token?: Effect.Effect<Redacted.Redacted>
}

/** Makes a client; nothing is sent before the first call. Interruption ends a call, and the request with it. */
export const make = ({ token, ...settings }: ClientOptions): Client.Client =>
  Client.make(settings, () => (token === undefined ? Effect.succeed(undefined) : Effect.map(token, Redacted.value)))
