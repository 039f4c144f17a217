import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { SqlError } from "effect/sql/SqlError"
import type { Conflict, Unavailable, WriteRefused } from "../domain/Errors.ts"
import type { CurrentUser } from "../domain/User.ts"
import type { WriteDone, WriteRequest } from "./WriteRequest.ts"

/** How a hook can fail; `Unavailable` and `Conflict` are those of our own methods, where it calls any. */
export type HookError = WriteRefused | SqlError | Unavailable | Conflict

/**
 * What the host does within each write of `Todos` and `Lists`. A batch is one write, with
 * up to 100 requests in order; every other has one.
 *
 * - Both run in the write's transaction (as a savepoint, where the host has one open), as
 *   the `CurrentUser` of the write: statements on the same `SqlClient` commit or roll back
 *   with it. The setting `todo.user_id` is not set while they run.
 * - The writes of one user are held up from before `before` until the commit, so what
 *   `before` counts is still so when the write happens.
 * - Where others got in the way (a deadlock, a serialization failure), all begins again,
 *   hooks included: what they do outside of the database may happen more than once, or for
 *   nothing. Write an outbox, and send from there.
 * - A write that is repeated under its idempotency key gives its first answer, without hooks.
 * - Imports, purges and erasures have no hooks, nor do the command line and other processes
 *   that were given none. The rows that a write changes besides (the todos of a list that is
 *   deleted, neighbours of a move) are in the change feed, not here.
 * - A `SqlError` that passes by itself is `Unavailable` or `Conflict` to the caller, as one of
 *   ours is; any other is a defect.
 */
export interface WriteHooks {
  /** May refuse. It runs before it is known whether the row exists. */
  readonly before?: (requests: ReadonlyArray<WriteRequest>) => Effect.Effect<void, HookError, CurrentUser>
  /** May add rows of the host's own, and refuse as well: then nothing of the write happens. */
  readonly after?: (done: ReadonlyArray<WriteDone>) => Effect.Effect<void, HookError, CurrentUser>
}

/**
 * The host's hooks, read when `Todos.layer` and `Lists.layer` are built. None unless the host
 * says so, and then a write stays the one statement that it is. With hooks it is a
 * transaction of four statements, five under a key, and what they run themselves: two to
 * three times as dear.
 *
 * @example
 * const outbox = Layer.effect(
 *   Hooks,
 *   Effect.map(SqlClient.SqlClient, (sql) => ({
 *     after: (done) => Effect.forEach(done, (write) => sql`insert into outbox ${sql.insert({ ... })}`, { discard: true })
 *   }))
 * )
 * const services = Services.layer.pipe(Layer.provide(outbox))
 */
export class Hooks extends Context.Reference<WriteHooks | undefined>("@todo/core/Hooks", {
  defaultValue: () => undefined
}) {}
