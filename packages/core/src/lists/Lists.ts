import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as SqlClient from "effect/sql/SqlClient"
import {
  type InvalidCursor,
  type InvalidInput,
  type ListNotEmpty,
  ListNotFound,
  type RevisionMismatch,
  type Unavailable
} from "../domain/Errors.ts"
import { ListMove } from "../domain/Move.ts"
import type { Page } from "../domain/Page.ts"
import type { ListId } from "../domain/Todo.ts"
import { ListPatch, type ListTodos, NewList, type TodoList } from "../domain/TodoList.ts"
import { ListQuery } from "../domain/TodoQuery.ts"
import type { CurrentUser } from "../domain/User.ts"
import { listWrites } from "./ListColumns.ts"
import * as ListsSql from "./ListsSql.ts"
import { newId } from "../writes/newId.ts"
import * as KeysetPage from "../database/KeysetPage.ts"
import * as BatchedScope from "../database/BatchedScope.ts"
import * as UserScope from "../database/UserScope.ts"
import { validate } from "../domain/validate.ts"
import { Hooks } from "../writes/Hooks.ts"
import { quotedSchema } from "../schema/SchemaName.ts"
import { withHooks } from "../writes/withHooks.ts"
import type { ListRequest } from "../writes/WriteRequest.ts"
import * as Writer from "../writes/Writer.ts"
import type { KeyError, WriteError } from "../writes/Writer.ts"
import type { Expectation, Once } from "../writes/WriteOptions.ts"

/**
 * The lists of the current user. Isolation, atomic writes, revisions, errors and transactions of the host work as
 * described at `Todos`.
 *
 * @example
 * const lists = yield* Lists
 * const list = yield* lists.create({ name: "Groceries" })
 * yield* lists.delete(list.id, { todos: "trash" })
 */
export class Lists extends Context.Service<
  Lists,
  {
    /** Adds a list at the end. Errors: `InvalidInput`; `IdempotencyKeyReused`; `IdempotencyKeyInUse`. */
    readonly create: (
      list: NewList,
      options?: Once
    ) => Effect.Effect<TodoList, InvalidInput | KeyError | WriteError, CurrentUser>

    /** Reads one list. `ListNotFound` if it does not exist or is in the trash; `list` with `deleted` shows the trash. */
    readonly get: (id: ListId) => Effect.Effect<TodoList, ListNotFound | Unavailable, CurrentUser>

    /** Reads one page of the lists. `limit` is 1 to 200 lists, 50 by default; `nextCursor` is `null` on the last page. */
    readonly list: (
      query: ListQuery
    ) => Effect.Effect<Page<TodoList>, InvalidInput | InvalidCursor | Unavailable, CurrentUser>

    /**
     * Creates a list under an id that the caller chooses, or replaces its name. With `ifAbsent` it only creates.
     *
     * Errors: `InvalidInput`; `RevisionMismatch`; `Conflict` with `in-trash` if the list is in the trash (call `restore`
     * first).
     */
    readonly put: (
      id: ListId,
      list: NewList,
      options?: Expectation & { readonly ifAbsent?: boolean | undefined }
    ) => Effect.Effect<
      { readonly list: TodoList; readonly created: boolean },
      InvalidInput | RevisionMismatch | WriteError,
      CurrentUser
    >

    /** Changes the fields of the patch. An absent field keeps its value. Errors: `InvalidInput`; `ListNotFound`; `RevisionMismatch`. */
    readonly update: (
      id: ListId,
      patch: ListPatch,
      options?: Expectation
    ) => Effect.Effect<TodoList, InvalidInput | ListNotFound | RevisionMismatch | WriteError, CurrentUser>

    /**
     * Moves the list to the trash. `todos` says what happens to its todos: `"trash"` moves them to the trash too, `"keep"`
     * leaves them without a list. Each of these todos gets a revision of its own.
     *
     * Errors: `ListNotFound`; `ListNotEmpty` if the list has todos and `todos` is left out; `RevisionMismatch`.
     */
    readonly delete: (
      id: ListId,
      options?: Expectation & { readonly todos?: ListTodos | undefined }
    ) => Effect.Effect<TodoList, ListNotFound | ListNotEmpty | RevisionMismatch | WriteError, CurrentUser>

    /** Takes the list out of the trash. Todos that were deleted with it stay in the trash. */
    readonly restore: (
      id: ListId,
      options?: Expectation & Once
    ) => Effect.Effect<TodoList, ListNotFound | RevisionMismatch | KeyError | WriteError, CurrentUser>

    /** Places the list directly before or directly after another list. `ListNotFound` if either does not exist. */
    readonly move: (
      id: ListId,
      to: ListMove,
      options?: Expectation & Once
    ) => Effect.Effect<TodoList, InvalidInput | ListNotFound | RevisionMismatch | KeyError | WriteError, CurrentUser>
  }
>()("@todo/core/Lists") {
  /** Uses the host's `SqlClient`, as `Todos.layer` does. */
  static readonly layer: Layer.Layer<Lists, never, SqlClient.SqlClient> = Layer.effect(
    Lists,
    Effect.gen(function* () {
      const scope = yield* UserScope.make
      const batched = yield* BatchedScope.make
      const schema = yield* quotedSchema
      const selectOne = batched.read(ListsSql.get(schema), 1)
      const write = withHooks(
        yield* Hooks,
        scope,
        schema,
        Writer.make<TodoList, ListRequest>(scope, batched, schema, listWrites)
      )

      const validNew = validate(NewList)
      const validPatch = validate(ListPatch)
      const validQuery = validate(ListQuery)
      const validMove = validate(ListMove)

      /** Writes a list that must exist. With a key it happens once. */
      const changeOnce = (request: ListRequest, { idempotencyKey, ifRevision }: Expectation & Once = {}) =>
        Effect.map(
          write.once(idempotencyKey, { request, ifRevision }, ["list-not-found", "revision-mismatch"]),
          ({ row }) => row
        )

      return Lists.of({
        create: Effect.fnUntraced(function* (list, options) {
          const valid = yield* validNew(list)
          const request: ListRequest = { kind: "list", op: "create", id: (yield* newId) as ListId, list: valid }
          const { row } = yield* write.once(options?.idempotencyKey, { request }, [])
          return row
        }),

        get: Effect.fnUntraced(function* (id) {
          const [row] = yield* selectOne(id)
          return row === undefined ? yield* new ListNotFound({}) : JSON.parse(row[0])
        }),

        list: Effect.fnUntraced(function* (input) {
          const query = yield* validQuery(input)
          return yield* KeysetPage.read<TodoList, ListQuery>(scope, "lists", query, {
            rows: (limit, after) => ListsSql.list(schema, query, limit, after),
            item: KeysetPage.parseItem,
            total: () => Effect.map(scope.read(ListsSql.count(schema, query))(), ([row]) => row?.[0] ?? 0)
          })
        }),

        put: Effect.fnUntraced(function* (id, list, { ifAbsent = false, ifRevision } = {}) {
          const request: ListRequest = {
            kind: "list",
            op: ifAbsent ? "create" : "put",
            id,
            list: yield* validNew(list)
          }
          const { created, row } = yield* write.one({ request, ifRevision }, ["revision-mismatch", "in-trash"])
          return { list: row, created }
        }),

        update: Effect.fnUntraced(function* (id, patch, options) {
          const request: ListRequest = { kind: "list", op: "update", id, patch: yield* validPatch(patch) }
          const { row } = yield* write.one({ request, ifRevision: options?.ifRevision }, [
            "list-not-found",
            "revision-mismatch"
          ])
          return row
        }),

        delete: Effect.fnUntraced(function* (id, { ifRevision, todos } = {}) {
          const request: ListRequest = { kind: "list", op: "delete", id, ...(todos !== undefined && { todos }) }
          const { row } = yield* write.one({ request, ifRevision }, [
            "list-not-found",
            "list-not-empty",
            "revision-mismatch"
          ])
          return row
        }),

        restore: (id, options) => changeOnce({ kind: "list", op: "restore", id }, options),
        move: Effect.fnUntraced(function* (id, to, options) {
          return yield* changeOnce({ kind: "list", op: "move", id, to: yield* validMove(to) }, options)
        })
      })
    })
  )
}
