import { inspect } from "node:util"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Todo } from "../domain/Todo.ts"
import type { TodoList } from "../domain/TodoList.ts"
import { CurrentUser } from "../domain/User.ts"
import { Lists } from "../lists/Lists.ts"
import { addTodos, newUser } from "./newUser.ts"

/** The data of one user of the probe. Every title has the id of the user. */
export interface Planted {
  /** The owner. */
  readonly user: typeof CurrentUser.Service
  /** Three todos. The first is in the list. */
  readonly todos: ReadonlyArray<Todo>
  /** The only list. */
  readonly list: TodoList
}

/** A query returned data of another user. */
export class IsolationBroken extends Schema.TaggedError<IsolationBroken>()("IsolationBroken", {
  /** The user who asked. */
  user: Schema.String,
  /** Ids and texts of the other user that were in the result. */
  saw: Schema.Array(Schema.String)
}) {
  override get message() {
    return `The query of ${this.user} returned data of another user: ${this.saw.join(", ")}`
  }
}

/** A query did not return the user's own data, so it cannot prove isolation. */
export class NothingSeen extends Schema.TaggedError<NothingSeen>()("NothingSeen", { user: Schema.String }) {
  override get message() {
    return `The query of ${this.user} did not return the user's own data, so it proves nothing`
  }
}

const plant = Effect.gen(function* () {
  const lists = yield* Lists
  const user = newUser()
  return yield* Effect.gen(function* () {
    const list = yield* lists.create({ name: `list of ${user.id}` })
    const todos = yield* addTodos(3, (n) => ({
      title: `todo ${n} of ${user.id}`,
      description: `text of ${user.id}`,
      tags: ["probe"],
      listId: n === 1 ? list.id : null
    }))
    return { user, todos, list } satisfies Planted
  }).pipe(Effect.provideService(CurrentUser, user))
})

const marks = ({ list, todos, user }: Planted) => [user.id, list.id, ...todos.map(({ id }) => id)]

/** All text in a value, at any depth. */
const textOf = (value: unknown): string =>
  inspect(value, { depth: Infinity, maxArrayLength: Infinity, maxStringLength: Infinity, showHidden: true })

/**
 * Tests that a query of the host isolates users. It creates two users with three todos and a list each. It runs the query for
 * both, in turns and concurrently, and searches each result at any depth for ids, titles and texts of the other user.
 *
 * @param query receives the data of the user to query for, and that of the other user, for queries that take an id. It runs
 *   with the user as `CurrentUser`.
 *
 * Fails with `IsolationBroken` if a result has data of the other user, and with `NothingSeen` if it lacks the user's own.
 *
 * @example
 * it.live("shows each their own orders", () =>
 *   probeIsolation(({ user }) => Effect.flatMap(Orders, (orders) => orders.withTodos(user.id))).pipe(
 *     Effect.provide(services)
 *   )
 * )
 */
export const probeIsolation = Effect.fnUntraced(function* <A, E = never, R = never>(
  query: (own: Planted, other: Planted) => Effect.Effect<A, E, R> | Promise<A>
) {
  const [one, other] = [yield* plant, yield* plant]

  const look = Effect.fnUntraced(function* (own: Planted, foreign: Planted) {
    const asked = query(own, foreign)
    const found = textOf(yield* Effect.isEffect(asked) ? asked : Effect.promise(() => asked))
    const saw = marks(foreign).filter((mark) => found.includes(mark))
    if (saw.length > 0) return yield* new IsolationBroken({ user: own.user.id, saw })
    if (!marks(own).some((mark) => found.includes(mark))) return yield* new NothingSeen({ user: own.user.id })
  })

  const turns = Array.from({ length: 10 }, (_, n) => (n % 2 === 0 ? ([one, other] as const) : ([other, one] as const)))
  const lookAll = (concurrency: 1 | "unbounded") =>
    Effect.forEach(turns, ([own, foreign]) => Effect.provideService(look(own, foreign), CurrentUser, own.user), {
      concurrency,
      discard: true
    })
  // Turns find a wrong cache. Concurrent runs find shared state.
  yield* lookAll(1)
  yield* lookAll("unbounded")
})
