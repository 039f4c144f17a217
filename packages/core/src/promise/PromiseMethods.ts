/** The methods of the services with promises: first their manual, then how they call the services. */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { SqlClient } from "effect/sql/SqlClient"
import { Accounts } from "../accounts/Accounts.ts"
import { Changes, type ChangesError } from "../changes/Changes.ts"
import type { Account } from "../domain/Account.ts"
import type { TodoOperation } from "../domain/Batch.ts"
import type { ChangePage, ChangeQuery } from "../domain/Change.ts"
import type {
  InvalidCursor,
  InvalidInput,
  ListNotEmpty,
  ListNotFound,
  RevisionMismatch,
  TodoNotFound,
  Unavailable
} from "../domain/Errors.ts"
import { IdempotencyKey } from "../domain/IdempotencyKey.ts"
import type { ListMove, TodoMove } from "../domain/Move.ts"
import type { Page } from "../domain/Page.ts"
import { IfRevision } from "../domain/Revision.ts"
import { ListId, type NewTodo, type Todo, TodoId, type TodoPatch } from "../domain/Todo.ts"
import { type ListPatch, ListTodos, type NewList, type TodoList } from "../domain/TodoList.ts"
import type { ListQuery, TodoQuery } from "../domain/TodoQuery.ts"
import { CurrentUser, UserId } from "../domain/User.ts"
import { validateUnknown } from "../domain/validate.ts"
import { Lists } from "../lists/Lists.ts"
import { Todos } from "../todos/Todos.ts"
import type { Expectation } from "../writes/WriteOptions.ts"
import type { KeyError, WriteError } from "../writes/Writer.ts"

/**
 * The result of a call. Expected errors, such as a missing todo or an unreachable database, are typed values, so that the
 * compiler makes the caller handle them. `error._tag` distinguishes them; each has its own data and a `message`. Promises
 * only reject because of bugs, of this package or of the host.
 */
export type Outcome<A, E> = { readonly ok: true; readonly value: A } | { readonly ok: false; readonly error: E }

/** `Once` with a plain string: a write with a key happens once within 24 hours, however often it is sent. */
interface Keyed {
  /** 1 to 255 visible ASCII characters, chosen by the caller for one write of this user. */
  readonly idempotencyKey?: string | undefined
}

/** `ifAbsent` only creates: `RevisionMismatch` if the row exists. `false` by default. */
interface Absence {
  readonly ifAbsent?: boolean | undefined
}

/**
 * The methods of `Todos`, `Lists`, `Accounts` and `Changes` with promises. Each takes the id of the user first, and only
 * sees the rows of this user.
 *
 * Ids, keys and cursors are plain strings. Every method returns `InvalidInput` if an argument is malformed, and
 * `Unavailable` if the database cannot be reached or is overloaded. `Todos` describes revisions, keys and retries.
 *
 * Every write can also return a `WriteError`: `UserDisabled`, `Conflict`, `WriteRefused` or `Unavailable`. A write with an
 * `idempotencyKey` can return a `KeyError`: `IdempotencyKeyReused` or `IdempotencyKeyInUse`.
 */
export interface Methods {
  /** The methods of `Todos`. */
  readonly todos: {
    /**
     * Adds a todo at the end. Fields that are left out get their defaults. `ListNotFound` if `listId` is not a list of the
     * user.
     *
     * @example
     * const made = await todos.create("alice", { title: "Buy milk", due: { date: "2026-12-01" } })
     */
    readonly create: (
      user: string,
      todo: typeof NewTodo.Encoded,
      options?: Keyed
    ) => Promise<Outcome<Todo, InvalidInput | ListNotFound | KeyError | WriteError>>

    /** Reads one todo. `TodoNotFound` if it does not exist or is in the trash. */
    readonly get: (user: string, id: string) => Promise<Outcome<Todo, InvalidInput | TodoNotFound | Unavailable>>

    /**
     * Reads one page of the todos that meet all conditions: 1 to 200 (`limit`), 50 by default. Pass `nextCursor` as `cursor`
     * of the same query for the next page; it is `null` on the last page. `InvalidCursor` if the cursor belongs to another
     * user or query.
     *
     * @example
     * const page = await todos.list("alice", { completed: false, tag: ["home"], sort: "due", limit: 20 })
     */
    readonly list: (
      user: string,
      query: typeof TodoQuery.Encoded
    ) => Promise<Outcome<Page<Todo>, InvalidInput | InvalidCursor | Unavailable>>

    /**
     * Creates a todo under an id of the caller, or replaces all fields that a client may set. `ListNotFound`;
     * `RevisionMismatch`; `Conflict` with `in-trash` if the todo is in the trash (call `restore` first).
     */
    readonly put: (
      user: string,
      id: string,
      todo: typeof NewTodo.Encoded,
      options?: Expectation & Absence
    ) => Promise<
      Outcome<
        { readonly todo: Todo; readonly created: boolean },
        InvalidInput | ListNotFound | RevisionMismatch | WriteError
      >
    >

    /**
     * Changes some fields. An absent field keeps its value, `null` clears it. `TodoNotFound`; `ListNotFound` if the new
     * `listId` is not a list of the user; `RevisionMismatch`.
     *
     * @example
     * await todos.update("alice", todo.id, { priority: "high" }, { ifRevision: todo.revision })
     */
    readonly update: (
      user: string,
      id: string,
      patch: typeof TodoPatch.Encoded,
      options?: Expectation
    ) => Promise<Outcome<Todo, InvalidInput | TodoNotFound | ListNotFound | RevisionMismatch | WriteError>>

    /** Marks the todo done. A todo that is already done does not change. `TodoNotFound`; `RevisionMismatch`. */
    readonly complete: (
      user: string,
      id: string,
      options?: Expectation
    ) => Promise<Outcome<Todo, InvalidInput | TodoNotFound | RevisionMismatch | WriteError>>

    /** Marks the todo open again. `TodoNotFound`; `RevisionMismatch`. */
    readonly reopen: (
      user: string,
      id: string,
      options?: Expectation
    ) => Promise<Outcome<Todo, InvalidInput | TodoNotFound | RevisionMismatch | WriteError>>

    /** Moves the todo to the trash, where `restore` finds it until a purge. `TodoNotFound`; `RevisionMismatch`. */
    readonly delete: (
      user: string,
      id: string,
      options?: Expectation
    ) => Promise<Outcome<Todo, InvalidInput | TodoNotFound | RevisionMismatch | WriteError>>

    /**
     * Takes the todo out of the trash. If its list does not exist any more, the todo is in no list. `TodoNotFound`;
     * `RevisionMismatch`.
     */
    readonly restore: (
      user: string,
      id: string,
      options?: Expectation & Keyed
    ) => Promise<Outcome<Todo, InvalidInput | TodoNotFound | RevisionMismatch | KeyError | WriteError>>

    /**
     * Places the todo directly before or directly after another todo of the user. `TodoNotFound` if either does not exist;
     * `RevisionMismatch`.
     *
     * @example
     * await todos.move("alice", todo.id, { before: other.id })
     */
    readonly move: (
      user: string,
      id: string,
      to: typeof TodoMove.Encoded,
      options?: Expectation & Keyed
    ) => Promise<Outcome<Todo, InvalidInput | TodoNotFound | RevisionMismatch | KeyError | WriteError>>

    /**
     * Applies 1 to 100 operations in order, in one transaction: all of them or none. Returns the todos in the order of the
     * operations. The error is that of the first operation that fails; its `index` is the position, from 0.
     *
     * @example
     * await todos.batch("alice", [
     *   { op: "create", todo: { title: "Buy milk" } },
     *   { op: "update", id, patch: { completed: true } }
     * ])
     */
    readonly batch: (
      user: string,
      operations: ReadonlyArray<typeof TodoOperation.Encoded>,
      options?: Keyed
    ) => Promise<
      Outcome<
        ReadonlyArray<Todo>,
        InvalidInput | TodoNotFound | ListNotFound | RevisionMismatch | KeyError | WriteError
      >
    >
  }

  /** The methods of `Lists`. */
  readonly lists: {
    /** Adds a list at the end. */
    readonly create: (
      user: string,
      list: typeof NewList.Encoded,
      options?: Keyed
    ) => Promise<Outcome<TodoList, InvalidInput | KeyError | WriteError>>

    /** Reads one list. `ListNotFound` if it does not exist or is in the trash. */
    readonly get: (user: string, id: string) => Promise<Outcome<TodoList, InvalidInput | ListNotFound | Unavailable>>

    /** Reads one page of the lists: 1 to 200 (`limit`), 50 by default. `nextCursor` is `null` on the last page. */
    readonly list: (
      user: string,
      query: typeof ListQuery.Encoded
    ) => Promise<Outcome<Page<TodoList>, InvalidInput | InvalidCursor | Unavailable>>

    /**
     * Creates a list under an id of the caller, or replaces its name. `RevisionMismatch`; `Conflict` with `in-trash` if the
     * list is in the trash (call `restore` first).
     */
    readonly put: (
      user: string,
      id: string,
      list: typeof NewList.Encoded,
      options?: Expectation & Absence
    ) => Promise<
      Outcome<{ readonly list: TodoList; readonly created: boolean }, InvalidInput | RevisionMismatch | WriteError>
    >

    /** Changes some fields. An absent field keeps its value. `ListNotFound`; `RevisionMismatch`. */
    readonly update: (
      user: string,
      id: string,
      patch: typeof ListPatch.Encoded,
      options?: Expectation
    ) => Promise<Outcome<TodoList, InvalidInput | ListNotFound | RevisionMismatch | WriteError>>

    /**
     * Moves the list to the trash. `todos: "trash"` moves its todos to the trash too; `"keep"` leaves them without a list.
     * `ListNotFound`; `ListNotEmpty` if the list has todos and `todos` is left out; `RevisionMismatch`.
     */
    readonly delete: (
      user: string,
      id: string,
      options?: Expectation & { readonly todos?: ListTodos | undefined }
    ) => Promise<Outcome<TodoList, InvalidInput | ListNotFound | ListNotEmpty | RevisionMismatch | WriteError>>

    /**
     * Takes the list out of the trash. Todos that were deleted with it stay there. `ListNotFound`; `RevisionMismatch`.
     */
    readonly restore: (
      user: string,
      id: string,
      options?: Expectation & Keyed
    ) => Promise<Outcome<TodoList, InvalidInput | ListNotFound | RevisionMismatch | KeyError | WriteError>>

    /**
     * Places the list directly before or directly after another list. `ListNotFound` if either does not exist;
     * `RevisionMismatch`.
     */
    readonly move: (
      user: string,
      id: string,
      to: typeof ListMove.Encoded,
      options?: Expectation & Keyed
    ) => Promise<Outcome<TodoList, InvalidInput | ListNotFound | RevisionMismatch | KeyError | WriteError>>
  }

  /** The methods of `Accounts`. */
  readonly accounts: {
    /** The user's id, revision and counts. All numbers are 0 for a user who has never written. */
    readonly me: (user: string) => Promise<Outcome<Account, InvalidInput | Unavailable>>

    /** Whether an operator has disabled the user. Writes check this themselves; a host checks it before reads. */
    readonly isDisabled: (user: string) => Promise<Outcome<boolean, InvalidInput | Unavailable>>
  }

  /** The methods of `Changes`, without `stream`. */
  readonly changes: {
    /**
     * Reads one page of the changes after the cursor `since`, or from the start without one: 1 to 500 (`limit`), 100 by
     * default. `nextCursor` continues the feed even if the page is empty. `InvalidCursor` if the cursor belongs to another
     * user; `CursorExpired` if changes after it were purged (drop local data and start without a cursor).
     */
    readonly page: (user: string, query: typeof ChangeQuery.Encoded) => Promise<Outcome<ChangePage, ChangesError>>
  }
}

/** The services that the methods need. */
export type Requirements = Todos | Lists | Changes | Accounts | SqlClient
/** Runs an effect with the services. */
export type Run = <A, E>(self: Effect.Effect<A, E, Requirements>) => Promise<Outcome<A, E>>

/** Turns the success or the failure of an effect into an `Outcome`. */
export const outcome = <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<Outcome<A, E>, never, R> =>
  Effect.match(self, {
    onFailure: (error) => ({ ok: false, error }),
    onSuccess: (value) => ({ ok: true, value })
  })

// Checks that TypeScript cannot make: the form of ids, and options, which the services do not validate.
const userId = validateUnknown(UserId, "/user")
/** Validates the user of a call. */
export const checkedUser = (user: string) => Effect.map(userId(user), (id) => ({ id }))
const todoId = validateUnknown(TodoId, "/id")
const listId = validateUnknown(ListId, "/id")
const checked = validateUnknown(
  Schema.UndefinedOr(
    Schema.Struct({
      ifRevision: Schema.optional(IfRevision),
      ifAbsent: Schema.optional(Schema.Boolean),
      idempotencyKey: Schema.optional(IdempotencyKey),
      todos: Schema.optional(ListTodos)
    })
  ),
  "/options"
)

/** Calls a method of a service for a user, after the checks of its arguments have succeeded. */
const caller =
  <Id extends Requirements, Service>(run: Run, service: Context.Key<Id, Service>) =>
  <const Given extends ReadonlyArray<unknown>, A, E>(
    user: string,
    checks: { readonly [Index in keyof Given]: Effect.Effect<Given[Index], InvalidInput> },
    call: (service: Service, ...given: Given) => Effect.Effect<A, E, CurrentUser>
  ): Promise<Outcome<A, E | InvalidInput>> =>
    run(
      Effect.gen(function* () {
        const current = yield* checkedUser(user)
        const given = yield* Effect.all(checks as ReadonlyArray<Effect.Effect<unknown, InvalidInput>>)
        return yield* Effect.provideService(call(yield* service, ...(given as unknown as Given)), CurrentUser, current)
      })
    )

/** Builds all methods. `run` runs their effects. Casts give plain strings the types of ids; the services validate them. */
export const methods = (run: Run): Methods => {
  const onTodos = caller(run, Todos)
  const onLists = caller(run, Lists)
  const onAccounts = caller(run, Accounts)
  const onChanges = caller(run, Changes)
  return {
    todos: {
      create: (user, todo, options) =>
        onTodos(user, [checked(options)], (todos, options) => todos.create(todo as NewTodo, options)),
      get: (user, id) => onTodos(user, [todoId(id)], (todos, id) => todos.get(id)),
      list: (user, query) => onTodos(user, [], (todos) => todos.list(query as TodoQuery)),
      put: (user, id, todo, options) =>
        onTodos(user, [todoId(id), checked(options)], (todos, id, options) => todos.put(id, todo as NewTodo, options)),
      update: (user, id, patch, options) =>
        onTodos(user, [todoId(id), checked(options)], (todos, id, options) =>
          todos.update(id, patch as TodoPatch, options)
        ),
      complete: (user, id, options) =>
        onTodos(user, [todoId(id), checked(options)], (todos, id, options) => todos.complete(id, options)),
      reopen: (user, id, options) =>
        onTodos(user, [todoId(id), checked(options)], (todos, id, options) => todos.reopen(id, options)),
      delete: (user, id, options) =>
        onTodos(user, [todoId(id), checked(options)], (todos, id, options) => todos.delete(id, options)),
      restore: (user, id, options) =>
        onTodos(user, [todoId(id), checked(options)], (todos, id, options) => todos.restore(id, options)),
      move: (user, id, to, options) =>
        onTodos(user, [todoId(id), checked(options)], (todos, id, options) => todos.move(id, to as TodoMove, options)),
      batch: (user, operations, options) =>
        onTodos(user, [checked(options)], (todos, options) =>
          todos.batch(operations as ReadonlyArray<TodoOperation>, options)
        )
    },
    lists: {
      create: (user, list, options) =>
        onLists(user, [checked(options)], (lists, options) => lists.create(list, options)),
      get: (user, id) => onLists(user, [listId(id)], (lists, id) => lists.get(id)),
      list: (user, query) => onLists(user, [], (lists) => lists.list(query)),
      put: (user, id, list, options) =>
        onLists(user, [listId(id), checked(options)], (lists, id, options) => lists.put(id, list, options)),
      update: (user, id, patch, options) =>
        onLists(user, [listId(id), checked(options)], (lists, id, options) => lists.update(id, patch, options)),
      delete: (user, id, options) =>
        onLists(user, [listId(id), checked(options)], (lists, id, options) => lists.delete(id, options)),
      restore: (user, id, options) =>
        onLists(user, [listId(id), checked(options)], (lists, id, options) => lists.restore(id, options)),
      move: (user, id, to, options) =>
        onLists(user, [listId(id), checked(options)], (lists, id, options) => lists.move(id, to as ListMove, options))
    },
    accounts: {
      me: (user) => onAccounts(user, [], ({ me }) => me),
      isDisabled: (user) => onAccounts(user, [], ({ isDisabled }) => isDisabled)
    },
    changes: {
      page: (user, query) => onChanges(user, [], (changes) => changes.page(query))
    }
  }
}
