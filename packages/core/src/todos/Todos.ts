import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as SqlClient from "effect/sql/SqlClient"
import {
  type InvalidCursor,
  type InvalidInput,
  type ListNotFound,
  type RevisionMismatch,
  TodoNotFound,
  type Unavailable
} from "../domain/Errors.ts"
import { type TodoOperation, TodoBatch } from "../domain/Batch.ts"
import { TodoMove } from "../domain/Move.ts"
import type { Page } from "../domain/Page.ts"
import { NewTodo, type Todo, type TodoId, TodoPatch } from "../domain/Todo.ts"
import { TodoQuery } from "../domain/TodoQuery.ts"
import type { CurrentUser } from "../domain/User.ts"
import { batchedPages } from "./batchedPages.ts"
import * as KeysetPage from "../database/KeysetPage.ts"
import * as TodoRow from "./TodoRow.ts"
import { todoWrites } from "./TodoColumns.ts"
import * as TodosSql from "./TodosSql.ts"
import * as BatchedScope from "../database/BatchedScope.ts"
import * as UserScope from "../database/UserScope.ts"
import * as TotalCache from "./TotalCache.ts"
import { validate } from "../domain/validate.ts"
import { Hooks } from "../writes/Hooks.ts"
import { quotedSchema } from "../schema/SchemaName.ts"
import { conditionalRequest, creation, replacement } from "./TodoRequests.ts"
import { withHooks } from "../writes/withHooks.ts"
import type { TodoRequest } from "../writes/WriteRequest.ts"
import * as Writer from "../writes/Writer.ts"
import type { KeyError, WriteError } from "../writes/Writer.ts"
import type { Expectation, Once } from "../writes/WriteOptions.ts"

/**
 * The todos of the current user.
 *
 * **Isolation.** Every method reads and writes rows of `CurrentUser` only. For the id of another user's todo it fails with
 * `TodoNotFound`, as for an id that does not exist.
 *
 * **Writes** are atomic. A write that changes a todo gives it a new revision. A write that changes nothing keeps the
 * revision. Concurrent writes of several users may share a transaction. They never wait for each other's locks there, and
 * if one fails, only that one fails.
 *
 * **Options of writes.** `ifRevision` is optimistic locking: the write fails with `RevisionMismatch` if the todo is at
 * another revision. With an `idempotencyKey` the write happens once within 24 hours, however often it is sent, so it is
 * safe to repeat after any failure.
 *
 * **Errors of every method.** `Unavailable` if the database cannot be reached, is overloaded or does not answer in time.
 * Its `outcome` says whether a write may have happened. Transient failures are retried first if that is safe.
 *
 * **Errors of every write.**
 * - `UserDisabled`: an operator has disabled the user.
 * - `Conflict` with `concurrent-writes`: a deadlock or serialization failure persisted through six attempts.
 * - `WriteRefused`: a hook of the host refused the write (`Hooks`).
 *
 * **Inside a transaction of the host** (`sql.withTransaction` of the same `SqlClient`):
 * - Reads see the transaction's own writes. Other transactions see them after the commit.
 * - `todo.user_id` is set only while a statement of this package runs. The host's own value is restored.
 * - The transaction locks each user that it writes for until it ends. Lock several users in a fixed order, or two
 *   transactions can deadlock.
 * - Nothing is retried. After `Conflict` with `concurrent-writes` or `Unavailable`, PostgreSQL refuses every further
 *   statement, which is `Unavailable` as well. Roll back and start the outermost or nested `withTransaction` again.
 * - After any other error the transaction can go on.
 *
 * @example
 * const todos = yield* Todos
 * const todo = yield* todos.create({ title: "Buy milk" }, { idempotencyKey: IdempotencyKey.make(requestId) })
 * yield* todos.update(todo.id, { due: { date: "2026-12-01" } }, { ifRevision: todo.revision }).pipe(
 *   Effect.catchTag("RevisionMismatch", ({ current }) => Effect.log(`another client was faster: revision ${current}`))
 * )
 */
export class Todos extends Context.Service<
  Todos,
  {
    /**
     * Adds a todo at the end. Fields that are left out get their defaults: open, no priority, no due date, no tags, no list.
     *
     * Errors: `InvalidInput`; `ListNotFound` if `listId` is not a list of the user; `IdempotencyKeyReused` if the key
     * belongs to another request; `IdempotencyKeyInUse` while the first request with the key runs.
     */
    readonly create: (
      todo: NewTodo,
      options?: Once
    ) => Effect.Effect<Todo, InvalidInput | ListNotFound | KeyError | WriteError, CurrentUser>

    /** Reads one todo. `TodoNotFound` if it does not exist or is in the trash; `list` with `deleted` shows the trash. */
    readonly get: (id: TodoId) => Effect.Effect<Todo, TodoNotFound | Unavailable, CurrentUser>

    /**
     * Reads one page of the todos that meet all conditions of the query. `limit` is 1 to 200 todos, 50 by default.
     *
     * Pass `nextCursor` as `cursor` of the same query to get the next page; it is `null` on the last page. Reading all
     * pages returns every todo that does not change meanwhile exactly once.
     *
     * Errors: `InvalidInput`; `InvalidCursor` if the cursor belongs to another user or query.
     *
     * @example
     * const { items, nextCursor } = yield* todos.list({ completed: false, tag: ["home"], sort: "due", limit: 20 })
     */
    readonly list: (
      query: TodoQuery
    ) => Effect.Effect<Page<Todo>, InvalidInput | InvalidCursor | Unavailable, CurrentUser>

    /**
     * Creates a todo under an id that the caller chooses, or replaces all fields that a client may set.
     *
     * Errors: `InvalidInput`; `ListNotFound`; `RevisionMismatch`; `Conflict` with `in-trash` if the todo is in the trash
     * (call `restore` first).
     */
    readonly put: (
      id: TodoId,
      todo: NewTodo,
      options?: Expectation & {
        /** Only create: `RevisionMismatch` if the todo exists (`If-None-Match: *`). `false` by default. */
        readonly ifAbsent?: boolean | undefined
      }
    ) => Effect.Effect<
      { readonly todo: Todo; readonly created: boolean },
      InvalidInput | ListNotFound | RevisionMismatch | WriteError,
      CurrentUser
    >

    /**
     * Changes the fields of the patch. An absent field keeps its value, `null` clears it.
     *
     * Errors: `InvalidInput`; `TodoNotFound`; `ListNotFound` if the new `listId` is not a list of the user;
     * `RevisionMismatch`.
     */
    readonly update: (
      id: TodoId,
      patch: TodoPatch,
      options?: Expectation
    ) => Effect.Effect<Todo, InvalidInput | ListNotFound | TodoNotFound | RevisionMismatch | WriteError, CurrentUser>

    /** Marks the todo done, with the current time as `completedAt`. A todo that is already done does not change. */
    readonly complete: (
      id: TodoId,
      options?: Expectation
    ) => Effect.Effect<Todo, TodoNotFound | RevisionMismatch | WriteError, CurrentUser>

    /** Marks the todo open again. */
    readonly reopen: (
      id: TodoId,
      options?: Expectation
    ) => Effect.Effect<Todo, TodoNotFound | RevisionMismatch | WriteError, CurrentUser>

    /** Moves the todo to the trash. `restore` takes it out again, unless a purge has removed it. */
    readonly delete: (
      id: TodoId,
      options?: Expectation
    ) => Effect.Effect<Todo, TodoNotFound | RevisionMismatch | WriteError, CurrentUser>

    /** Takes the todo out of the trash. If its list does not exist any more, the todo is in no list. */
    readonly restore: (
      id: TodoId,
      options?: Expectation & Once
    ) => Effect.Effect<Todo, TodoNotFound | RevisionMismatch | KeyError | WriteError, CurrentUser>

    /**
     * Places the todo directly before or directly after another todo of the user. `TodoNotFound` if either does not exist.
     *
     * @example
     * yield* todos.move(todo.id, { before: other.id })
     */
    readonly move: (
      id: TodoId,
      to: TodoMove,
      options?: Expectation & Once
    ) => Effect.Effect<Todo, InvalidInput | TodoNotFound | RevisionMismatch | KeyError | WriteError, CurrentUser>

    /**
     * Applies 1 to 100 operations in order, in one transaction: all of them or none. Each change gets a revision of its
     * own. Returns the todos in the order of the operations.
     *
     * Fails with the error of the first operation that fails. `index` is the position of that operation, from 0.
     *
     * @example
     * yield* todos.batch([
     *   { op: "create", todo: { title: "Buy milk" } },
     *   { op: "update", id, patch: { completed: true } }
     * ])
     */
    readonly batch: (
      operations: ReadonlyArray<TodoOperation>,
      options?: Once
    ) => Effect.Effect<
      ReadonlyArray<Todo>,
      InvalidInput | TodoNotFound | ListNotFound | RevisionMismatch | KeyError | WriteError,
      CurrentUser
    >
  }
>()("@todo/core/Todos") {
  /**
   * Uses the host's `SqlClient`: its pool and its transactions. The tables are in the schema that `SchemaName` names. The
   * hooks of `Hooks` are read when the layer is built.
   */
  static readonly layer: Layer.Layer<Todos, never, SqlClient.SqlClient> = Layer.effect(
    Todos,
    Effect.gen(function* () {
      const scope = yield* UserScope.make
      const batched = yield* BatchedScope.make
      const schema = yield* quotedSchema
      const selectOne = batched.read(TodosSql.get(schema), 1)
      const pages = batchedPages(scope, batched, schema)
      const totals = yield* TotalCache.make(scope, batched, schema)
      const write = withHooks(
        yield* Hooks,
        scope,
        schema,
        Writer.make<Todo, TodoRequest>(scope, batched, schema, todoWrites)
      )

      const validNew = validate(NewTodo)
      const validPatch = validate(TodoPatch)
      const validQuery = validate(TodoQuery)
      const validMove = validate(TodoMove)
      const validBatch = validate(TodoBatch)

      /** Writes a todo that must exist. */
      const change = (request: TodoRequest, options?: Expectation) =>
        Effect.map(
          write.one({ request, ifRevision: options?.ifRevision }, ["todo-not-found", "revision-mismatch"]),
          ({ row }) => row
        )

      /** Writes a todo that must exist. With a key it happens once. */
      const changeOnce = (request: TodoRequest, { idempotencyKey, ifRevision }: Expectation & Once = {}) =>
        Effect.map(
          write.once(idempotencyKey, { request, ifRevision }, ["todo-not-found", "revision-mismatch"]),
          ({ row }) => row
        )

      // Methods have no span: it would cost each call 5 µs even without a tracer. Requests and statements have spans.
      return Todos.of({
        create: Effect.fnUntraced(function* (todo, options) {
          const request = yield* creation(yield* validNew(todo))
          const { row } = yield* write.once(options?.idempotencyKey, { request }, ["list-not-found"])
          return row
        }),

        get: Effect.fnUntraced(function* (id) {
          const [row] = yield* selectOne(id)
          return row === undefined ? yield* new TodoNotFound({}) : TodoRow.toTodo(row)
        }),

        list: Effect.fnUntraced(function* (input) {
          const query = yield* validQuery(input)
          const now = yield* DateTime.now
          return yield* KeysetPage.read<Todo, TodoQuery>(pages, "todos", query, {
            rows: (limit, after) => TodosSql.list(schema, query, now, limit, after),
            item: TodoRow.toTodo,
            total: () => totals.of(query, TodosSql.count(schema, query, now))
          })
        }),

        put: Effect.fnUntraced(function* (id, todo, { ifAbsent, ifRevision } = {}) {
          const request = replacement(id, yield* validNew(todo), ifAbsent)
          const { created, row } = yield* write.one({ request, ifRevision }, [
            "revision-mismatch",
            "in-trash",
            "list-not-found"
          ])
          return { todo: row, created }
        }),

        update: Effect.fnUntraced(function* (id, patch, options) {
          const request: TodoRequest = { kind: "todo", op: "update", id, patch: yield* validPatch(patch) }
          const { row } = yield* write.one({ request, ifRevision: options?.ifRevision }, [
            "todo-not-found",
            "revision-mismatch",
            "list-not-found"
          ])
          return row
        }),

        complete: (id, options) => change({ kind: "todo", op: "update", id, patch: { completed: true } }, options),
        reopen: (id, options) => change({ kind: "todo", op: "update", id, patch: { completed: false } }, options),
        delete: (id, options) => change({ kind: "todo", op: "delete", id }, options),

        restore: (id, options) => changeOnce({ kind: "todo", op: "restore", id }, options),
        move: Effect.fnUntraced(function* (id, to, options) {
          return yield* changeOnce({ kind: "todo", op: "move", id, to: yield* validMove(to) }, options)
        }),

        batch: Effect.fnUntraced(function* (input, options) {
          const { operations } = yield* validBatch({ operations: input })
          const written = yield* write.allOnce(
            options?.idempotencyKey,
            yield* Effect.forEach(operations, conditionalRequest),
            ["todo-not-found", "list-not-found", "revision-mismatch"]
          )
          return written.map(({ row }) => row)
        })
      })
    })
  )
}
