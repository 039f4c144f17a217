import * as Effect from "effect/Effect"
import type * as Stream from "effect/Stream"
import { type CallError, ProblemError, RevisionMismatchError } from "./ClientError.ts"
import type { Endpoints, Query, RequestBody, ResponseBody } from "./ContractTypes.ts"
import { routes } from "./Routes.ts"
import * as Collection from "./Collection.ts"
import * as Subscription from "./Subscription.ts"
import * as Transport from "./Transport.ts"

/** A todo, as JSON. */
export type Todo = ResponseBody<Endpoints["todos"]["get"]>

/** What can be set of a todo. */
export type NewTodo = RequestBody<Endpoints["todos"]["create"]>

/** A list, as JSON. */
export type TodoList = ResponseBody<Endpoints["lists"]["get"]>

/** One step of a batch. */
export type TodoOperation = RequestBody<Endpoints["todos"]["batch"]>["operations"][number]

type BatchError = CallError<Endpoints["todos"]["batch"], Todo, TodoOperation>

/** The calls for todos. */
export interface Todos<Options = {}> extends Collection.Collection<Endpoints["todos"], Options> {
  /**
   * Up to 100 steps, of which all happen or none, once; gives the todos in the order of the steps.
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

/** The calls for lists. A list that holds todos is deleted with a word on what becomes of them. */
export type Lists<Options = {}> = Collection.Collection<
  Endpoints["lists"],
  Options,
  Query<Endpoints["lists"]["delete"]>
>

/** The calls for all of the API that clients need. `Options` is what every call takes besides. */
export interface Client<Options = {}> {
  /** Reads and writes todos. */
  readonly todos: Todos<Options>
  /** Reads and writes lists. */
  readonly lists: Lists<Options>
  /** What happened to both. */
  readonly changes: {
    /** A page of changes in revision order, after the cursor; `nextCursor` continues, also where there is nothing yet. */
    readonly page: (
      query?: Query<Endpoints["changes"]["page"]>,
      options?: Options
    ) => Effect.Effect<ResponseBody<Endpoints["changes"]["page"]>, CallError<Endpoints["changes"]["page"]>>
  }
  /** Who asks: id, revision, counts. */
  readonly me: (
    options?: Options
  ) => Effect.Effect<ResponseBody<Endpoints["changes"]["me"]>, CallError<Endpoints["changes"]["me"]>>
  /**
   * The changes after a cursor, all where there is none, and then each as it happens: once,
   * and none left out, whatever becomes of connections in between. Where something on the way
   * holds streams back, it asks for pages instead. Keep the cursor of what you have worked off
   * to go on there another time. Ends only with an error that needs you: a token that is
   * refused, or a cursor (`cursor-expired`: read everything again, and subscribe without one).
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

/** What a field of a todo is where a `put` leaves it out. */
const defaults: Required<Omit<NewTodo, "title">> = {
  description: null,
  completed: false,
  priority: "none",
  due: null,
  tags: [],
  listId: null
}

/** Which step of a batch a problem is about. */
const indexOf = ({ problem }: ProblemError<"revision-mismatch">): number =>
  Number(problem.errors?.[0]?.pointer.split("/").at(-1))

export const make = (settings: Transport.ClientSettings, getToken: Transport.GetToken): Client => {
  const transport = Transport.make(settings, getToken)
  const todos = Collection.make<Endpoints["todos"], {}>(transport, routes.todos, defaults)

  const batch: Todos["batch"] = (operations, { idempotencyKey } = {}) =>
    transport.send({ route: routes.todos.batch, body: { operations }, idempotencyKey }).pipe(
      Effect.map((answer) => (answer as ResponseBody<Endpoints["todos"]["batch"]>).results.map(({ todo }) => todo)),
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
