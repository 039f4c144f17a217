import { inspect } from "node:util"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Todo } from "../domain/Todo.ts"
import type { TodoList } from "../domain/TodoList.ts"
import { CurrentUser } from "../domain/User.ts"
import { Lists } from "../lists/Lists.ts"
import { addTodos, newUser } from "./users.ts"

/** What a user of the probe has: all of it names its owner in its titles. */
export interface Planted {
  /** Whose it is. */
  readonly user: typeof CurrentUser.Service
  /** Three, of which the first is in the list. */
  readonly todos: ReadonlyArray<Todo>
  /** The only list. */
  readonly list: TodoList
}

/** A query gave one user what is another's. */
export class IsolationBroken extends Schema.TaggedError<IsolationBroken>()("IsolationBroken", {
  /** The user who asked. */
  user: Schema.String,
  /** Ids and texts of the other one that were in the answer. */
  saw: Schema.Array(Schema.String)
}) {
  override get message() {
    return `The query of ${this.user} saw what is another user's: ${this.saw.join(", ")}`
  }
}

/** A query gave a user nothing of its own, so that it would not show anything of others either. */
export class NothingSeen extends Schema.TaggedError<NothingSeen>()("NothingSeen", { user: Schema.String }) {
  override get message() {
    return `The query of ${this.user} saw nothing of its own, which proves nothing`
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

/** All that is in a value, whatever it is. */
const textOf = (value: unknown): string =>
  inspect(value, { depth: Infinity, maxArrayLength: Infinity, maxStringLength: Infinity, showHidden: true })

/**
 * Whether a query of the host keeps users apart. Gives two new users three todos and a list
 * each, asks for both of them, in turns and at once, and looks for ids, titles and texts of the
 * one in what the other gets, however deep.
 *
 * `query` gets the user it is to ask for with what that one has, and what the other one has, for
 * queries that take an id; it runs with the user as `CurrentUser`. Fails with `IsolationBroken`,
 * and with `NothingSeen` where the answer has nothing of the user's own in it either.
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
  // What is remembered for the wrong one shows in turns, what is shared by those who run at once only then.
  yield* lookAll(1)
  yield* lookAll("unbounded")
})
