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
import type { Page as PageOf } from "../domain/Page.ts"
import { NewTodo, type Todo, type TodoId, TodoPatch } from "../domain/Todo.ts"
import { TodoQuery } from "../domain/TodoQuery.ts"
import type { CurrentUser } from "../domain/User.ts"
import { batchedPages } from "./batchedPages.ts"
import * as Page from "../database/KeysetPage.ts"
import * as TodoRow from "./TodoRow.ts"
import * as TodosSql from "./TodosSql.ts"
import * as BatchedScope from "../database/BatchedScope.ts"
import * as UserScope from "../database/UserScope.ts"
import * as Totals from "./KeptTotals.ts"
import { validated } from "../domain/validate.ts"
import { Hooks } from "../writes/Hooks.ts"
import { SchemaName } from "../schema/SchemaName.ts"
import { creation, replacement, step } from "./TodoRequests.ts"
import { withHooks } from "../writes/withHooks.ts"
import type { TodoRequest } from "../writes/WriteRequest.ts"
import * as Writer from "../writes/Writer.ts"
import type { KeyError, WriteError } from "../writes/Writer.ts"
import type { Expectation, Once } from "../writes/WriteOptions.ts"

/**
 * The todos of the current user. Every method sees and changes that user's rows and
 * no others: another user's id is answered like one that does not exist.
 *
 * Every write happens as a whole or not at all (as part of the host's transaction, where one
 * is open) and gives the row a new revision; a write that changes nothing changes no revision
 * either. Writes of several users that come at the same moment may share a transaction: none
 * waits for another's locks there, and one that fails fails alone.
 *
 * In a transaction of the host (`sql.withTransaction` of the same `SqlClient`) reads see what
 * it wrote, others see nothing before it commits, and the user is set in PostgreSQL for our
 * statements alone. It holds up the other writers of each user that it wrote for; take users in
 * one order, for two that take them in opposite ones deadlock. Nothing is repeated there: after
 * `Conflict` (`concurrent-writes`) or `Unavailable` PostgreSQL refuses all that follows, which is
 * `Unavailable` too, and the host begins again, from where its outermost or nested
 * `withTransaction` began. Other errors leave it as good as it was.
 *
 * All methods fail with `Unavailable` while the database cannot be reached; of a write it
 * tells whether it may have happened. Passing failures are retried before, where that is
 * safe. Under an `idempotencyKey` a write happens once in 24 hours, however often it is
 * sent: safe to repeat after any failure.
 *
 * @example
 * const todos = yield* Todos
 * const todo = yield* todos.create({ title: "Buy milk" }, { idempotencyKey: IdempotencyKey.make(requestId) })
 * yield* todos.update(todo.id, { due: { date: "2026-12-01" } }, { ifRevision: todo.revision }).pipe(
 *   Effect.catchTag("RevisionMismatch", ({ current }) => Effect.log(`somebody was faster: revision ${current}`))
 * )
 */
export class Todos extends Context.Service<
  Todos,
  {
    /** Adds a todo behind the others. `ListNotFound` where `listId` is none of the user's lists. */
    readonly create: (
      todo: NewTodo,
      options?: Once
    ) => Effect.Effect<Todo, InvalidInput | ListNotFound | KeyError | WriteError, CurrentUser>

    /** One todo. Those in the trash are not found; `list` shows them. */
    readonly get: (id: TodoId) => Effect.Effect<Todo, TodoNotFound | Unavailable, CurrentUser>

    /**
     * One page of the todos that meet all conditions of the query. A walk along
     * `nextCursor` returns every todo that nobody touches meanwhile exactly once.
     */
    readonly list: (
      query: TodoQuery
    ) => Effect.Effect<PageOf<Todo>, InvalidInput | InvalidCursor | Unavailable, CurrentUser>

    /**
     * Creates the todo under the caller's id, or replaces all that a client may set.
     * `Conflict` where the id is in the trash: nothing comes back by itself.
     */
    readonly put: (
      id: TodoId,
      todo: NewTodo,
      options?: Expectation & {
        /** Only create: `RevisionMismatch` where the todo exists (`If-None-Match: *`). */
        readonly ifAbsent?: boolean
      }
    ) => Effect.Effect<
      { readonly todo: Todo; readonly created: boolean },
      InvalidInput | ListNotFound | RevisionMismatch | WriteError,
      CurrentUser
    >

    /** Changes the fields that are there: an absent field keeps its value, `null` clears it. */
    readonly update: (
      id: TodoId,
      patch: TodoPatch,
      options?: Expectation
    ) => Effect.Effect<Todo, InvalidInput | ListNotFound | TodoNotFound | RevisionMismatch | WriteError, CurrentUser>

    /** Marks the todo done, now. A todo that is done already stays as it is. */
    readonly complete: (
      id: TodoId,
      options?: Expectation
    ) => Effect.Effect<Todo, TodoNotFound | RevisionMismatch | WriteError, CurrentUser>

    /** Marks the todo open again. */
    readonly reopen: (
      id: TodoId,
      options?: Expectation
    ) => Effect.Effect<Todo, TodoNotFound | RevisionMismatch | WriteError, CurrentUser>

    /** Puts the todo into the trash. */
    readonly delete: (
      id: TodoId,
      options?: Expectation
    ) => Effect.Effect<Todo, TodoNotFound | RevisionMismatch | WriteError, CurrentUser>

    /** Takes the todo out of the trash; out of its list too, where that is gone. */
    readonly restore: (
      id: TodoId,
      options?: Expectation & Once
    ) => Effect.Effect<Todo, TodoNotFound | RevisionMismatch | KeyError | WriteError, CurrentUser>

    /** Puts the todo right before or right behind another one. `TodoNotFound` where either is not there. */
    readonly move: (
      id: TodoId,
      to: TodoMove,
      options?: Expectation & Once
    ) => Effect.Effect<Todo, InvalidInput | TodoNotFound | RevisionMismatch | KeyError | WriteError, CurrentUser>

    /**
     * Up to 100 operations in one transaction: all happen, in order, or none. The error is
     * that of the first operation that fails, with its `index`. Each change has a revision
     * of its own, as it would have alone, so that one number still names one change.
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
  /** Works on the host's `SqlClient`: its pool, its transactions, the schema named by `SchemaName`. */
  static readonly layer: Layer.Layer<Todos, never, SqlClient.SqlClient> = Layer.effect(
    Todos,
    Effect.suspend(() => make)
  )
}

const make = Effect.gen(function* () {
  const scope = yield* UserScope.make
  const batched = yield* BatchedScope.make
  const schema = `"${yield* SchemaName}"`
  const selectOne = batched.read(TodosSql.get(schema), 1)
  const pages = batchedPages(scope, batched, schema)
  const totals = yield* Totals.make(scope, batched, schema)
  const write = withHooks(yield* Hooks, scope, schema, Writer.make<Todo>(scope, batched, schema))

  const validNew = validated(NewTodo)
  const validPatch = validated(TodoPatch)
  const validQuery = validated(TodoQuery)
  const validMove = validated(TodoMove)
  const validBatch = validated(TodoBatch)

  /** A write on a todo that must exist. */
  const change = (request: TodoRequest, options?: Expectation) =>
    Effect.map(
      write.one({ request, ifRevision: options?.ifRevision }, ["todo-not-found", "revision-mismatch"]),
      ({ row }) => row
    )

  // Untraced: a span of its own costs each call 5 µs, also where nobody listens; requests and statements have theirs.
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

    list: Effect.fnUntraced(function* (given) {
      const query = yield* validQuery(given)
      const now = yield* DateTime.now
      return yield* Page.read<Todo, TodoQuery>(pages, "todos", query, {
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

    update: Effect.fnUntraced(function* (id, given, options) {
      const request: TodoRequest = { kind: "todo", op: "update", id, patch: yield* validPatch(given) }
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

    restore: Effect.fnUntraced(function* (id, { idempotencyKey, ifRevision } = {}) {
      const request: TodoRequest = { kind: "todo", op: "restore", id }
      const { row } = yield* write.once(idempotencyKey, { request, ifRevision }, [
        "todo-not-found",
        "revision-mismatch"
      ])
      return row
    }),

    move: Effect.fnUntraced(function* (id, given, { idempotencyKey, ifRevision } = {}) {
      const request: TodoRequest = { kind: "todo", op: "move", id, to: yield* validMove(given) }
      const { row } = yield* write.once(idempotencyKey, { request, ifRevision }, [
        "todo-not-found",
        "revision-mismatch"
      ])
      return row
    }),

    batch: Effect.fnUntraced(function* (given, options) {
      const { operations } = yield* validBatch({ operations: given })
      const written = yield* write.allOnce(options?.idempotencyKey, yield* Effect.forEach(operations, step), [
        "todo-not-found",
        "list-not-found",
        "revision-mismatch"
      ])
      return written.map(({ row }) => row)
    })
  })
})
