/**
 * A typed client of the HTTP API that gives promises. Runs in a browser.
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

/** What a client is made of. */
export interface ClientOptions extends ClientSettings {
  /**
   * The bearer token, or what gives it: asked before each request, so keep it until it
   * expires, and once more, with the token in question, where one was refused. None where
   * requests are authenticated otherwise.
   */
  readonly token?: string | ((refused?: string) => string | Promise<string>)
}

/** What every call takes besides. */
export interface CallOptions {
  /** Ends the call, which rejects with the signal's reason. A write that was sent already may happen all the same. */
  readonly signal?: AbortSignal
}

type Promised<Calls> = {
  readonly [Name in keyof Calls]: Calls[Name] extends (...call: infer Call) => Effect.Effect<infer A, infer _E>
    ? (...call: Call) => Promise<A>
    : Calls[Name] extends (...call: infer Call) => Stream.Stream<infer A, infer _E>
      ? (...call: Call) => AsyncIterable<A>
      : Promised<Calls[Name]>
}

/** The calls, each of which gives a promise that rejects with a `ClientError`, or something to go through with `for await`. */
export type PromiseClient = Promised<Client.Client<CallOptions>>

const signalOf = (call: ReadonlyArray<unknown>): AbortSignal | undefined => {
  const last = call.at(-1)
  return typeof last === "object" && last !== null && "signal" in last ? (last.signal as AbortSignal) : undefined
}

/** Fails with the signal's reason once there is one. */
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

/** Makes a client; nothing is sent before the first call. */
export const createClient = ({ token, ...settings }: ClientOptions): PromiseClient => {
  const ask = (refused: string | undefined) =>
    typeof token === "function"
      ? Effect.tryPromise({ try: async () => token(refused), catch: (cause) => new TokenUnavailable(cause) })
      : Effect.succeed(token)
  return promisedAll(Client.make(settings, ask)) as PromiseClient
}
