import * as Context from "effect/Context"
import { uuidV7Unsafe } from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as SqlClient from "effect/sql/SqlClient"
import {
  type Conflict,
  type InvalidCursor,
  type InvalidInput,
  type ListNotFound,
  type RevisionMismatch,
  TodoNotFound,
  type Unavailable,
  type UserDisabled
} from "./domain/Errors.ts"
import { type Page, pageLimit } from "./domain/Page.ts"
import type { IfRevision } from "./domain/Revision.ts"
import { NewTodo, type Todo, TodoId, TodoPatch } from "./domain/Todo.ts"
import { TodoQuery } from "./domain/TodoQuery.ts"
import { CurrentUser } from "./domain/User.ts"
import * as Cursor from "./internal/Cursor.ts"
import * as TodosSql from "./internal/TodosSql.ts"
import * as UserScope from "./internal/UserScope.ts"
import { validated } from "./internal/Validation.ts"
import * as Write from "./internal/Write.ts"
import { SchemaName } from "./SchemaName.ts"

/**
 * The todos of the current user. Every method sees and changes that user's rows and
 * no others: another user's id is answered like one that does not exist.
 *
 * Every write is one transaction (or part of the host's, where one is open) and gives
 * the row a new revision; a write that changes nothing changes no revision either.
 * All methods fail with `Unavailable` while the database cannot be reached.
 */
export class Todos extends Context.Service<
  Todos,
  {
    /** Adds a todo behind the others. `ListNotFound` where `listId` is none of the user's lists. */
    readonly create: (todo: NewTodo) => Effect.Effect<Todo, InvalidInput | ListNotFound | WriteError, CurrentUser>

    /** One todo. Those in the trash are not found; `list` shows them. */
    readonly get: (id: TodoId) => Effect.Effect<Todo, TodoNotFound | Unavailable, CurrentUser>

    /**
     * One page of the todos that meet all conditions of the query. A walk along
     * `nextCursor` returns every todo that nobody touches meanwhile exactly once.
     */
    readonly list: (
      query: TodoQuery
    ) => Effect.Effect<Page<Todo>, InvalidInput | InvalidCursor | Unavailable, CurrentUser>

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
      InvalidInput | ListNotFound | RevisionMismatch | Conflict | WriteError,
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
      options?: Expectation
    ) => Effect.Effect<Todo, TodoNotFound | RevisionMismatch | WriteError, CurrentUser>
  }
>()("@todo/core/Todos") {
  /** Works on the host's `SqlClient`: its pool, its transactions, the schema named by `SchemaName`. */
  static readonly layer: Layer.Layer<Todos, never, SqlClient.SqlClient> = Layer.effect(
    Todos,
    Effect.suspend(() => make)
  )
}

/** What a write expects of the row, checked where the row is written. */
export interface Expectation {
  readonly ifRevision?: IfRevision | undefined
}

/** How every write can fail. */
export type WriteError = UserDisabled | Unavailable

const make = Effect.gen(function* () {
  const scoped = yield* UserScope.make
  const schema = `"${yield* SchemaName}"`
  const selectOne = scoped(TodosSql.get(schema))
  const write = Write.make<Todo>(scoped(Write.statement(schema)))

  const validNew = validated(NewTodo)
  const validPatch = validated(TodoPatch)
  const validQuery = validated(TodoQuery)

  const put = Effect.fnUntraced(function* <const Expected extends "revision-mismatch" | "in-trash" | "list-not-found">(
    id: TodoId,
    todo: NewTodo,
    options: Expectation & { readonly ifAbsent?: boolean },
    expected: ReadonlyArray<Expected>
  ) {
    const fields = TodosSql.columns({ ...defaults, ...(yield* validNew(todo)) })
    return yield* write({ kind: "todo", op: "put", id, fields, ...options }, expected)
  })

  /** A write on a todo that must exist. */
  const change = (op: "update" | "delete" | "restore", id: TodoId, patch: TodoPatch, options?: Expectation) =>
    Effect.map(
      write({ kind: "todo", op, id, fields: TodosSql.columns(patch), ...options }, [
        "todo-not-found",
        "revision-mismatch"
      ]),
      ({ row }) => row
    )

  return Todos.of({
    create: Effect.fn("Todos.create")(function* (todo) {
      const { row } = yield* put(TodoId.make(uuidV7Unsafe()), todo, {}, ["list-not-found"])
      return row
    }),

    get: Effect.fn("Todos.get")(function* (id) {
      const [row] = yield* selectOne(id)
      return row === undefined ? yield* new TodoNotFound() : toTodo(row)
    }),

    list: Effect.fn("Todos.list")(function* (given) {
      const user = yield* CurrentUser
      const { cursor, limit = pageLimit.default, ...query } = yield* validQuery(given)
      const after = cursor === undefined ? undefined : yield* Cursor.open(user.id, query, cursor)
      const page = TodosSql.list(schema, { ...query, limit }, after)
      const rows = yield* scoped(page.select)(...page.parameters)
      const items = rows.slice(0, limit).map(toTodo)
      const last = items.at(-1)
      return {
        items,
        nextCursor: last !== undefined && rows.length > limit ? Cursor.make(user.id, query, page.key(last)) : null
      }
    }),

    put: Effect.fn("Todos.put")(function* (id, todo, options = {}) {
      const { created, row } = yield* put(id, todo, options, ["revision-mismatch", "in-trash", "list-not-found"])
      return { todo: row, created }
    }),

    update: Effect.fn("Todos.update")(function* (id, patch, options) {
      const fields = TodosSql.columns(yield* validPatch(patch))
      const { row } = yield* write({ kind: "todo", op: "update", id, fields, ...options }, [
        "todo-not-found",
        "revision-mismatch",
        "list-not-found"
      ])
      return row
    }),

    complete: (id, options) => change("update", id, { completed: true }, options),
    reopen: (id, options) => change("update", id, { completed: false }, options),
    delete: (id, options) => change("delete", id, {}, options),
    restore: (id, options) => change("restore", id, {}, options)
  })
})

const toTodo = (row: ReadonlyArray<unknown>): Todo => JSON.parse(String(row[0]))

/** What a new todo has where nothing is said. */
const defaults = {
  description: null,
  completed: false,
  priority: "none",
  due: null,
  tags: [],
  listId: null
} as const
