import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { SqlError } from "effect/sql/SqlError"
import type { Conflict, Unavailable, WriteRefused } from "../domain/Errors.ts"
import type { CurrentUser } from "../domain/User.ts"
import type { WriteDone, WriteRequest } from "./WriteRequest.ts"

/** The errors of a hook. `Unavailable` and `Conflict` come from methods of this package that the hook calls. */
export type HookError = WriteRefused | SqlError | Unavailable | Conflict

/**
 * Functions of the host that run within each write of `Todos` and `Lists`. A batch is one write with 1 to 100 requests in
 * order. Every other write has one request.
 *
 * - **Transaction.** Both hooks run in the transaction of the write, or in a savepoint of the host's transaction.
 *   Statements on the same `SqlClient` commit or roll back with the write. `CurrentUser` is the user of the write. The
 *   setting `todo.user_id` is not set while a hook runs.
 * - **Lock.** The user is locked from before `before` until the commit. What `before` reads about the user's rows is still
 *   true when the write happens.
 * - **Retries.** After a deadlock or serialization failure, the whole transaction runs again, with its hooks. An effect
 *   outside the database may then happen twice, or without a write. Insert into an outbox table, and send from there.
 * - **Idempotency.** A repeated write under the same idempotency key returns the first answer and runs no hooks.
 * - **Writes without hooks.** Imports, purges and erasures run without hooks. So do processes whose layers have none, such
 *   as `todo-admin`. A write can change more rows than its own (todos of a deleted list, neighbours of a move). Hooks do
 *   not see those rows; the change feed does.
 * - **Errors.** A transient `SqlError` of a hook reaches the caller of the write as `Unavailable` or `Conflict`. Any other
 *   `SqlError` is a defect.
 */
export interface WriteHooks {
  /** Runs before the write, and before it is known whether the row exists. May refuse with `WriteRefused`. */
  readonly before?: (requests: ReadonlyArray<WriteRequest>) => Effect.Effect<void, HookError, CurrentUser>
  /** Runs after the write, and may insert rows of the host. If it refuses, the write is rolled back. */
  readonly after?: (done: ReadonlyArray<WriteDone>) => Effect.Effect<void, HookError, CurrentUser>
}

/**
 * The host's hooks; none by default. `Todos.layer` and `Lists.layer` read them when they are built.
 *
 * Cost: a write without hooks is one statement. With hooks it is a transaction of four statements, or five with an
 * idempotency key, plus those of the hooks: two to three times the time.
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
