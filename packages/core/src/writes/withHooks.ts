import { zipWith } from "effect/Array"
import * as Effect from "effect/Effect"
import type { SqlError } from "effect/sql/SqlError"
import type { UserScope } from "../database/UserScope.ts"
import type { IdempotencyKey } from "../domain/IdempotencyKey.ts"
import type { Todo } from "../domain/Todo.ts"
import type { TodoList } from "../domain/TodoList.ts"
import type { CurrentUser } from "../domain/User.ts"
import type { WriteHooks } from "./Hooks.ts"
import type { Step, WriteDone, WriteRequest } from "./WriteRequest.ts"
import type { WriteError, Writer, Written } from "./Writer.ts"
import * as WritesSql from "./WritesSql.ts"

/** A writer that runs the host's hooks around each write, or the same writer if there are none. */
export const withHooks = <Row extends Todo | TodoList>(
  hooks: WriteHooks | undefined,
  scope: UserScope,
  schema: string,
  writer: Writer<Row>
): Writer<Row> => {
  if (hooks === undefined) return writer
  const { after, before } = hooks

  const lockUser = scope.write(WritesSql.lockUser(schema))
  const storedAnswer = scope.read(WritesSql.storedAnswer(schema))

  const around = <Done, E>(
    key: IdempotencyKey | undefined,
    steps: ReadonlyArray<Step>,
    write: Effect.Effect<Done, E, CurrentUser>,
    rows: (done: Done) => ReadonlyArray<Written<Row>>
  ): Effect.Effect<Done, Exclude<E, SqlError> | WriteError, CurrentUser> =>
    scope.atomically(
      Effect.gen(function* () {
        yield* lockUser()
        const isRepeated = key !== undefined && (yield* storedAnswer(key)).length > 0
        if (isRepeated) return yield* write
        const requests = steps.map(({ request }) => request)
        if (before !== undefined) yield* before(requests)
        const done = yield* write
        if (after !== undefined) yield* after(zipWith(requests, rows(done), toWriteDone))
        return done
      })
    )

  return {
    one: (step, expected) => around(undefined, [step], writer.one(step, expected), (done) => [done]),
    once: (key, step, expected) => around(key, [step], writer.once(key, step, expected), (done) => [done]),
    allOnce: (key, steps, expected) => around(key, steps, writer.allOnce(key, steps, expected), (done) => done)
  }
}

const toWriteDone = (request: WriteRequest, { created, row }: Written<Todo | TodoList>): WriteDone =>
  request.kind === "todo"
    ? { kind: "todo", op: request.op, created, todo: row as Todo }
    : { kind: "list", op: request.op, created, list: row as TodoList }
