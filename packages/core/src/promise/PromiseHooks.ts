/** Hooks that are written with promises, as the hooks that the services run. */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { isSqlError, type SqlError } from "effect/sql/SqlError"
import { SqlClient } from "effect/sql/SqlClient"
import { Conflict, Unavailable, WriteRefused } from "../domain/Errors.ts"
import { CurrentUser } from "../domain/User.ts"
import type { WriteHooks } from "../writes/Hooks.ts"
import type { WriteDone, WriteRequest } from "../writes/WriteRequest.ts"
import type { Requirements } from "./PromiseMethods.ts"
import { assertNoEffect, isFailure, type Transaction, withTransaction } from "./PromiseTransaction.ts"

/** The write's transaction, as a hook has it. */
export interface HookTransaction extends Transaction {
  /**
   * Refuses the write: nothing of it happens, and the caller gets `WriteRefused` with this code, for programs, and this
   * message, for people. It throws, so nothing behind it runs. To catch what it throws does not take it back.
   */
  readonly refuse: (code: string, message: string) => never
}

/**
 * What the host does within each write of a todo or a list, as `WriteHooks` describes it, with promises. A batch is one
 * write, with up to 100 requests in order; every other write has one.
 *
 * `within.query` and the methods of `within` run in the write's transaction: what they write commits or rolls back with
 * it. A hook that throws or rejects undoes the write. What it threw is a bug to the caller: calls of `createTodos`
 * reject with it, a handler answers 500 and tells `onError`. Two kinds are not: `within.refuse`, and a failure that
 * passes by itself (a deadlock, a lost connection), which is `Conflict` or `Unavailable`. After a conflict the hook runs
 * again, so write an outbox and send from there. What a hook returns has no meaning, but a failure (`ok: false`) is
 * treated as if it had been thrown, and `false` or an Effect is a bug.
 *
 * @example
 * const todos = createTodos({
 *   url,
 *   hooks: {
 *     before: (user, requests, { refuse }) => {
 *       if (isClosed(user) && requests.some(({ op }) => op === "delete")) refuse("month-closed", "The month is closed")
 *     },
 *     after: async (user, done, { query }) => {
 *       for (const write of done) await query("insert into outbox (who, what) values ($1, $2)", [user, write.op])
 *     }
 *   }
 * })
 */
export interface PromisedHooks {
  /** Runs before the write, and before it is known whether the row exists. */
  readonly before?:
    | ((user: string, requests: ReadonlyArray<WriteRequest>, within: HookTransaction) => unknown)
    | undefined
  /** Runs after the write, before it commits. */
  readonly after?: ((user: string, done: ReadonlyArray<WriteDone>, within: HookTransaction) => unknown) | undefined
}

type Hook<Given> = (user: string, given: Given, within: HookTransaction) => unknown
type Failure = WriteRefused | SqlError | Unavailable | Conflict

const isExpected = (thrown: unknown): thrown is Failure =>
  thrown instanceof WriteRefused || thrown instanceof Unavailable || thrown instanceof Conflict || isSqlError(thrown)

/** Runs a hook with the services in `services`, which are built by the time that a write runs. */
const toHook =
  <Given>(name: string, hook: Hook<Given>, services: () => Context.Context<Requirements>) =>
  (given: Given): Effect.Effect<void, Failure, CurrentUser> =>
    Effect.gen(function* () {
      const { id } = yield* CurrentUser
      let refusal: WriteRefused | undefined
      const refuse = (code: string, message: string): never => {
        refusal ??= new WriteRefused({ code, message })
        throw refusal
      }
      const exit = yield* Effect.exit(
        withTransaction(yield* SqlClient, (within) =>
          Effect.tryPromise({
            try: async () => hook(id, given, { ...within, refuse }),
            catch: (thrown) => thrown
          }).pipe(
            Effect.flatMap((returned) =>
              Effect.suspend(() => {
                assertNoEffect(`The hook ${name}`, returned)
                if (returned === false)
                  throw new TypeError(`The hook ${name} returned false: call refuse(code, message)`)
                return isFailure(returned) ? Effect.fail(returned.error) : Effect.void
              })
            )
          )
        )
      )
      if (refusal !== undefined) return yield* refusal
      if (Exit.isSuccess(exit)) return
      return yield* Effect.catch(exit, (thrown) => (isExpected(thrown) ? Effect.fail(thrown) : Effect.die(thrown)))
    }).pipe((self) => Effect.suspend(() => Effect.provideContext(self, services())))

/** Throws a `TypeError` where the hooks cannot be any. */
export const assertHooks = (hooks: PromisedHooks): void => {
  for (const [name, hook] of Object.entries(hooks)) {
    if (name !== "before" && name !== "after")
      throw new TypeError(`hooks: there is no hook ${name}, only before and after`)
    if (hook !== undefined && typeof hook !== "function") throw new TypeError(`hooks: ${name} must be a function`)
  }
}

export const toWriteHooks = (
  { after, before }: PromisedHooks,
  services: () => Context.Context<Requirements>
): WriteHooks => ({
  ...(before && { before: toHook("before", before, services) }),
  ...(after && { after: toHook("after", after, services) })
})
