/**
 * A typed client of the HTTP API whose calls are Effects. Runs in a browser. `@todo/http/client/promise` has the same calls
 * as promises.
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

/** The options of a client. */
export interface ClientOptions extends ClientSettings {
  /**
   * Gives the bearer token. It runs before each request, so that it can renew the token, and once more after a 401. Leave
   * it out if requests are authenticated by other means, such as a cookie.
   */
  readonly token?: Effect.Effect<Redacted.Redacted>
}

/** Makes a client. It sends nothing before the first call. Interrupting a call aborts its request. */
export const make = ({ token, ...settings }: ClientOptions): Client.Client =>
  Client.make(settings, () => (token === undefined ? Effect.succeed(undefined) : Effect.map(token, Redacted.value)))
