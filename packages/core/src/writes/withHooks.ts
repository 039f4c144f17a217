import { zipWith } from "effect/Array"
import * as Effect from "effect/Effect"
import type { SqlError } from "effect/sql/SqlError"
import type { UserScope } from "../database/UserScope.ts"
import type { IdempotencyKey } from "../domain/IdempotencyKey.ts"
import type { Todo } from "../domain/Todo.ts"
import type { TodoList } from "../domain/TodoList.ts"
import type { CurrentUser } from "../domain/User.ts"
import type { WriteHooks } from "./Hooks.ts"
import type { ConditionalRequest, WriteDone, WriteRequest } from "./WriteRequest.ts"
import type { WriteError, Writer, Written } from "./Writer.ts"
import * as WritesSql from "./WritesSql.ts"
import type { QuotedSchema } from "../schema/SchemaName.ts"

/** A writer that runs the host's hooks around each write, or the same writer if there are none. */
export const withHooks = <Row extends Todo | TodoList, Request extends WriteRequest>(
  hooks: WriteHooks | undefined,
  scope: UserScope,
  schema: QuotedSchema,
  writer: Writer<Row, Request>
): Writer<Row, Request> => {
  if (hooks === undefined) return writer
  const { after, before } = hooks

  const lockUser = scope.write(WritesSql.lockUser(schema))
  const storedAnswer = scope.read(WritesSql.storedAnswer(schema))

  const around = <Done, E>(
    key: IdempotencyKey | undefined,
    requests: ReadonlyArray<ConditionalRequest>,
    write: Effect.Effect<Done, E, CurrentUser>,
    rows: (done: Done) => ReadonlyArray<Written<Row>>
  ): Effect.Effect<Done, Exclude<E, SqlError> | WriteError, CurrentUser> =>
    scope.atomically(
      Effect.gen(function* () {
        yield* lockUser()
        const isRepeated = key !== undefined && (yield* storedAnswer(key)).length > 0
        if (isRepeated) return yield* write
        const written = requests.map(({ request }) => request)
        if (before !== undefined) yield* before(written)
        const done = yield* write
        if (after !== undefined) yield* after(zipWith(written, rows(done), toWriteDone))
        return done
      })
    )

  return {
    one: (request, expected) => around(undefined, [request], writer.one(request, expected), (done) => [done]),
    once: (key, request, expected) => around(key, [request], writer.once(key, request, expected), (done) => [done]),
    allOnce: (key, requests, expected) => around(key, requests, writer.allOnce(key, requests, expected), (done) => done)
  }
}

const toWriteDone = (request: WriteRequest, { created, row }: Written<Todo | TodoList>): WriteDone =>
  request.kind === "todo"
    ? { kind: "todo", op: request.op, created, todo: row as Todo }
    : { kind: "list", op: request.op, created, list: row as TodoList }
