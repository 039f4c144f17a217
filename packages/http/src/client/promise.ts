/**
 * A typed client of the HTTP API whose calls are promises. Runs in a browser.
 *
 * @example
 * ```ts
 * import { createClient } from "@todo/http/client/promise"
 *
 * const client = createClient({ url: "https://todo.example.com", token: () => session.accessToken() })
 * const todo = await client.todos.create({ title: "Buy milk" })
 * await client.todos.update(todo, { completed: true })
 * ```
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Client from "./Client.ts"
import { TokenUnavailable } from "./ClientError.ts"
import type { ClientSettings } from "./Transport.ts"

export type { Lists, NewTodo, Todo, TodoList, TodoOperation, Todos } from "./Client.ts"
export * from "./ClientError.ts"
export type { Collection, IfAbsent, IfRevision, Keyed, Overwrite } from "./Collection.ts"
export type { Change, LiveChange, SubscribeError, SubscribeOptions } from "./Subscription.ts"
export type { ClientSettings } from "./Transport.ts"

/** The options of a client. */
export interface ClientOptions extends ClientSettings {
  /**
   * The bearer token, or a function that gives it. The function is called before each request, so cache the token until it
   * expires. After a 401 it is called once more with the refused token. Leave it out if requests are authenticated by other
   * means, such as a cookie.
   */
  readonly token?: string | ((refused?: string) => string | Promise<string>)
}

/** The options that every call takes. */
export interface CallOptions {
  /** Aborts the call, which then rejects with the signal's reason. A write that was already sent may still be applied. */
  readonly signal?: AbortSignal
}

type Promised<Calls> = {
  readonly [Name in keyof Calls]: Calls[Name] extends (...call: infer Call) => Effect.Effect<infer A, infer _E>
    ? (...call: Call) => Promise<A>
    : Calls[Name] extends (...call: infer Call) => Stream.Stream<infer A, infer _E>
      ? (...call: Call) => AsyncIterable<A>
      : Promised<Calls[Name]>
}

/** The calls of the client. Each returns a promise that rejects with a `ClientError`, or an async iterable for `for await`. */
export type PromiseClient = Promised<Client.Client<CallOptions>>

const signalOf = (call: ReadonlyArray<unknown>): AbortSignal | undefined => {
  const last = call.at(-1)
  return typeof last === "object" && last !== null && "signal" in last ? (last.signal as AbortSignal) : undefined
}

/** Fails with the signal's reason when the signal aborts. */
const aborted = (signal: AbortSignal): Effect.Effect<never, unknown> =>
  Effect.callback((resume) => {
    const abort = () => resume(Effect.fail(signal.reason))
    if (signal.aborted) return abort()
    signal.addEventListener("abort", abort, { once: true })
    return Effect.sync(() => signal.removeEventListener("abort", abort))
  })

const promised =
  (run: (...call: ReadonlyArray<unknown>) => Effect.Effect<unknown, unknown> | Stream.Stream<unknown, unknown>) =>
  (...call: ReadonlyArray<unknown>) => {
    const signal = signalOf(call)
    const running = run(...call)
    if (Effect.isEffect(running)) {
      return Effect.runPromise(signal === undefined ? running : Effect.raceFirst(aborted(signal), running))
    }
    return Stream.toAsyncIterable(signal === undefined ? running : Stream.interruptWhen(running, aborted(signal)))
  }

const promisedAll = (calls: object): object =>
  Object.fromEntries(
    Object.entries(calls).map(([name, call]) => [name, typeof call === "function" ? promised(call) : promisedAll(call)])
  )

/** Makes a client. It sends nothing before the first call. */
export const createClient = ({ token, ...settings }: ClientOptions): PromiseClient => {
  const ask = (refused: string | undefined) =>
    typeof token === "function"
      ? Effect.tryPromise({ try: async () => token(refused), catch: (cause) => new TokenUnavailable(cause) })
      : Effect.succeed(token)
  return promisedAll(Client.make(settings, ask)) as PromiseClient
}
