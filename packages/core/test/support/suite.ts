/** Shared by the tests: services on a new database, users, and random numbers from a seed. */
import { CurrentUser, Services, TodoId, type Todo, type TodoQuery, Todos } from "@todo/core"
import { newUser } from "@todo/core/testing"
import { Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { randomInt, randomUUID } from "node:crypto"
import { Random } from "../../../../.config/random.ts"
import { layerDatabase } from "./host.ts"

/** An option of `layer`: tests use the real clock. */
export const live = { excludeTestServices: true }

export const services = Services.layer.pipe(Layer.provideMerge(layerDatabase))

/** Runs as a new user. */
export const asNewUser = <A, E, R>(self: Effect.Effect<A, E, R>) =>
  Effect.suspend(() => Effect.provideService(self, CurrentUser, newUser()))

export const query = <Row extends object>(text: string, parameters: ReadonlyArray<unknown> = []) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) => sql.unsafe<Row>(text, parameters))

export const newTodoId = (): TodoId => TodoId.make(randomUUID())

interface Failure {
  readonly current?: number | null
  readonly _tag: string
}

/** The failure of an effect. */
export const failureOf = <R>(self: Effect.Effect<unknown, Failure, R>): Effect.Effect<Failure, unknown, R> =>
  Effect.flip(self)

/** The tag of an effect's failure. */
export const tagOf = <R>(self: Effect.Effect<unknown, Failure, R>) => Effect.map(failureOf(self), ({ _tag }) => _tag)

/** All todos that a query finds, over all pages. */
export const walkTodos = Effect.fnUntraced(function* (given: TodoQuery) {
  const todos = yield* Todos
  const found: Array<Todo> = []
  let cursor: string | null | undefined
  while (cursor !== null) {
    const page = yield* todos.list({ ...given, ...(cursor !== undefined && { cursor }) })
    found.push(...page.items)
    cursor = page.nextCursor
  }
  return found
})

export const ids = (todos: ReadonlyArray<{ readonly id: string }>) => todos.map(({ id }) => id)

/** `TODO_TEST_SEED=<seed>` repeats a failed run. */
const seed = process.env["TODO_TEST_SEED"] === undefined ? randomInt(2 ** 31) : Number(process.env["TODO_TEST_SEED"])

/** Runs with seeded randomness. A failure prints the seed. */
export const seeded = <A, E, R>(run: (random: Random) => Effect.Effect<A, E, R>, own = seed) =>
  Effect.onError(
    Effect.suspend(() => run(new Random(own))),
    () => Effect.sync(() => console.error(`to repeat: TODO_TEST_SEED=${own}`))
  )

/** Whether the long tests run. */
export const long = process.env["TODO_TEST_LONG"] === "1"

/** The number of random rounds in `npm test`, in `npm run test:long`, and with `TODO_TEST_LONG=1`. */
export const rounds = (few: number, many: number, all: number): number =>
  long ? all : process.env["TODO_TEST_ROUNDS"] === "many" ? many : few
