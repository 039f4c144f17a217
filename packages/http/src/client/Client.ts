import { todoDefaults } from "@todo/core/domain/defaults"
import * as Effect from "effect/Effect"
import type * as Stream from "effect/Stream"
import { type CallError, ProblemError, RevisionMismatchError } from "./ClientError.ts"
import type { Endpoints, Query, RequestBody, ResponseBody } from "./ContractTypes.ts"
import { routes } from "./Routes.ts"
import * as Collection from "./Collection.ts"
import * as Subscription from "./Subscription.ts"
import * as Transport from "./Transport.ts"

/** A todo as JSON. */
export type Todo = ResponseBody<Endpoints["todos"]["get"]>

/** The fields of a todo that a client can set, as JSON. `title` is required. */
export type NewTodo = RequestBody<Endpoints["todos"]["create"]>

/** A list as JSON. */
export type TodoList = ResponseBody<Endpoints["lists"]["get"]>

/** One operation of a batch. */
export type TodoOperation = RequestBody<Endpoints["todos"]["batch"]>["operations"][number]

type BatchError = CallError<Endpoints["todos"]["batch"], Todo, TodoOperation>

/** The calls for todos. */
export interface Todos<Options = {}> extends Collection.Collection<Endpoints["todos"], Options> {
  /**
   * Applies up to 100 operations in one transaction, all or none. Returns the todos in the order of the operations. A
   * repeated request is applied once.
   *
   * @example
   * ```ts
   * const [milk, old] = await client.todos.batch([
   *   { op: "create", todo: { title: "Buy milk" } },
   *   { op: "delete", id: todo.id, ifRevision: todo.revision }
   * ])
   * ```
   */
  readonly batch: (
    operations: ReadonlyArray<TodoOperation>,
    options?: Collection.Keyed & Options
  ) => Effect.Effect<ReadonlyArray<Todo>, BatchError>
}

/** The calls for lists. To delete a list that has todos, pass `todos: "trash"` or `todos: "keep"`. */
export type Lists<Options = {}> = Collection.Collection<
  Endpoints["lists"],
  Options,
  Query<Endpoints["lists"]["delete"]>
>

/** A client of the API. `Options` are additional options of every call. */
export interface Client<Options = {}> {
  /** Reads and writes todos. */
  readonly todos: Todos<Options>
  /** Reads and writes lists. */
  readonly lists: Lists<Options>
  /** The change feed of todos and lists. */
  readonly changes: {
    /** A page of changes in revision order. Pass `nextCursor` as `since` for the next page, also if the page is empty. */
    readonly page: (
      query?: Query<Endpoints["changes"]["page"]>,
      options?: Options
    ) => Effect.Effect<ResponseBody<Endpoints["changes"]["page"]>, CallError<Endpoints["changes"]["page"]>>
  }
  /** The account of the caller: its id, its last revision, and the numbers of todos and lists. */
  readonly me: (
    options?: Options
  ) => Effect.Effect<ResponseBody<Endpoints["changes"]["me"]>, CallError<Endpoints["changes"]["me"]>>
  /**
   * Streams the changes after the cursor `since` (all changes by default), and then each change as it happens. No change is
   * lost or repeated when a connection breaks. If a proxy blocks event streams, the client polls pages instead.
   *
   * Save the cursor of each change that you have processed, and pass it as `since` to resume. The stream fails only with
   * errors that cannot be retried, such as a refused token or `cursor-expired`. After `cursor-expired`, read everything
   * again and subscribe without a cursor.
   *
   * @example
   * ```ts
   * for await (const { change, cursor } of client.subscribe({ since: saved, signal })) {
   *   apply(change)
   *   save(cursor)
   * }
   * ```
   */
  readonly subscribe: (
    options?: Subscription.SubscribeOptions & Options
  ) => Stream.Stream<Subscription.LiveChange, Subscription.SubscribeError>
}

/** The index of the operation of a batch that failed. */
const indexOf = ({ problem }: ProblemError<"revision-mismatch">): number =>
  Number(problem.errors?.[0]?.pointer.split("/").at(-1))

export const make = (settings: Transport.ClientSettings, getToken: Transport.GetToken): Client => {
  const transport = Transport.make(settings, getToken)
  const todos = Collection.make<Endpoints["todos"], {}>(transport, routes.todos, todoDefaults)

  const batch: Todos["batch"] = (operations, { idempotencyKey } = {}) =>
    transport.send({ route: routes.todos.batch, body: { operations }, idempotencyKey }).pipe(
      Effect.map((body) => (body as ResponseBody<Endpoints["todos"]["batch"]>).results.map(({ todo }) => todo)),
      Effect.catch((error) => {
        if (!(error instanceof ProblemError) || error.code !== "revision-mismatch") {
          return Effect.fail(error as BatchError)
        }
        const mismatch = error as ProblemError<"revision-mismatch">
        const mine = operations[indexOf(mismatch)]
        if (mine === undefined || mine.op === "create") return Effect.fail(error as BatchError)
        return Effect.flatMap(Collection.current(todos.get(mine.id)), (current) =>
          Effect.fail(new RevisionMismatchError(mismatch, { base: undefined, mine, current }))
        )
      })
    )

  return {
    todos: { ...todos, batch },
    lists: Collection.make(transport, routes.lists, {}),
    changes: {
      page: (query = {}) =>
        transport.send({ route: routes.changes.page, query }) as ReturnType<Client["changes"]["page"]>
    },
    me: () => transport.send({ route: routes.changes.me }) as ReturnType<Client["me"]>,
    subscribe: (options) => Subscription.subscribe(transport, options)
  }
}
