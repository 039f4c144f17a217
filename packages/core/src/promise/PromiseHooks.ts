/** Turns hooks that are written with promises into the hooks of the services. */
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

/** The transaction of a write, for a hook. */
export interface HookTransaction extends Transaction {
  /**
   * Refuses the write. The write is rolled back, and the caller gets `WriteRefused` with the code (for programs) and the
   * message (for people). It always throws. Catching the error does not cancel the refusal.
   */
  readonly refuse: (code: string, message: string) => never
}

/**
 * Hooks that run in the transaction of each write of a todo or a list; `WriteHooks` with promises. A batch is one write with
 * up to 100 requests in order. Every other write has one request.
 *
 * `within.query` and the methods of `within` run in the same transaction, so they commit or roll back with the write.
 *
 * - A hook that throws or rejects rolls the write back. The error counts as a bug: calls of `createTodos` reject with it,
 *   and a handler answers 500 and calls `onError`.
 * - `within.refuse` and temporary failures of the database (a deadlock, a lost connection) are not bugs. The caller gets
 *   `WriteRefused`, `Conflict` or `Unavailable`.
 * - A hook can run again after a conflict. Do not send messages from it; write them to an outbox table.
 * - The returned value is ignored, except that a failure (`ok: false`) counts as thrown. `false` and an Effect are bugs.
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
type HookFailure = WriteRefused | SqlError | Unavailable | Conflict

const isExpected = (thrown: unknown): thrown is HookFailure =>
  thrown instanceof WriteRefused || thrown instanceof Unavailable || thrown instanceof Conflict || isSqlError(thrown)

/** Converts one hook. `services` is called when a write runs, because the services are built after their hooks. */
const toHook =
  <Given>(name: string, hook: Hook<Given>, services: () => Context.Context<Requirements>) =>
  (given: Given): Effect.Effect<void, HookFailure, CurrentUser> =>
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

/** Throws a `TypeError` if a hook is not a function or has an unknown name. */
export const assertHooks = (hooks: PromisedHooks): void => {
  for (const [name, hook] of Object.entries(hooks)) {
    if (name !== "before" && name !== "after")
      throw new TypeError(`hooks: there is no hook ${name}, only before and after`)
    if (hook !== undefined && typeof hook !== "function") throw new TypeError(`hooks: ${name} must be a function`)
  }
}

/** Converts hooks with promises to the hooks of the services. */
export const toWriteHooks = (
  { after, before }: PromisedHooks,
  services: () => Context.Context<Requirements>
): WriteHooks => ({
  ...(before && { before: toHook("before", before, services) }),
  ...(after && { after: toHook("after", after, services) })
})
