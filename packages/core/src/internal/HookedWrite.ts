import { zipWith } from "effect/Array"
import * as Effect from "effect/Effect"
import type { SqlError } from "effect/sql/SqlError"
import type { IdempotencyKey } from "../domain/IdempotencyKey.ts"
import type { ListMove, TodoMove } from "../domain/Move.ts"
import type { ListId, NewTodo, Todo, TodoId } from "../domain/Todo.ts"
import type { ListPatch, NewList, TodoList } from "../domain/TodoList.ts"
import type { CurrentUser } from "../domain/User.ts"
import type { ListRequest, TodoRequest, WriteDone, WriteHooks, WriteRequest } from "../Hooks.ts"
import * as TodosSql from "./TodosSql.ts"
import type { UserScope } from "../database/UserScope.ts"
import type { Operation, WriteError, Writer, Written } from "./Write.ts"

/** A writer that runs the host's hooks around each write, or the same writer where there are none. */
export const hooked = <Row extends Todo | TodoList>(
  hooks: WriteHooks | undefined,
  scope: UserScope,
  schema: string,
  writer: Writer<Row>
): Writer<Row> => {
  if (hooks === undefined) return writer
  const { after, before } = hooks

  // Writes of one user queue on the user's row; who has none yet, on the lock, which is asked for first for that.
  const queue = scope.write(`select pg_advisory_xact_lock(hashtextextended('${schema} hooks ' || me.id, 0))::text,
  (select true from ${schema}.users u where u.id = me.id for no key update)`)
  const kept = scope.read(`select true from ${schema}.idempotency_keys
where owner_id = me.id and key = $2 and created_at > now() - interval '24 hours'`)

  const around = <Done, E>(
    key: IdempotencyKey | undefined,
    operations: ReadonlyArray<Operation>,
    write: Effect.Effect<Done, E, CurrentUser>,
    rows: (done: Done) => ReadonlyArray<Written<Row>>
  ): Effect.Effect<Done, Exclude<E, SqlError> | WriteError, CurrentUser> =>
    scope.atomically(
      Effect.gen(function* () {
        yield* queue()
        const isReplay = key !== undefined && (yield* kept(key)).length > 0
        if (isReplay) return yield* write
        const requests = operations.map(requestOf)
        if (before !== undefined) yield* before(requests)
        const done = yield* write
        if (after !== undefined) yield* after(zipWith(requests, rows(done), doneOf))
        return done
      })
    )

  return {
    one: (operation, expected) => around(undefined, [operation], writer.one(operation, expected), (done) => [done]),
    once: (key, operation, expected) =>
      around(key, [operation], writer.once(key, operation, expected), (done) => [done]),
    allOnce: (key, operations, expected) =>
      around(key, operations, writer.allOnce(key, operations, expected), (done) => done)
  }
}

/** The operation as the host knows it: in the fields of clients, not in columns. */
const requestOf = (operation: Operation): WriteRequest => (operation.kind === "todo" ? ofTodo : ofList)(operation)

const ofTodo = ({ fields = {}, op, ...operation }: Operation): TodoRequest => {
  const id = operation.id as TodoId
  const asked = TodosSql.fieldsOf(fields)
  switch (op) {
    case "put":
      return { kind: "todo", op: putOf(operation), id, todo: asked as NewTodo }
    case "update":
      return { kind: "todo", op, id, patch: asked }
    case "move":
      return { kind: "todo", op, id, to: toOf(operation) as TodoMove }
    default:
      return { kind: "todo", op, id }
  }
}

const ofList = ({ fields, op, todos, ...operation }: Operation): ListRequest => {
  const id = operation.id as ListId
  switch (op) {
    case "put":
      return { kind: "list", op: putOf(operation), id, list: fields as NewList }
    case "update":
      return { kind: "list", op, id, patch: fields as ListPatch }
    case "delete":
      return { kind: "list", op, id, ...(todos !== undefined && { todos }) }
    case "move":
      return { kind: "list", op, id, to: toOf(operation) as ListMove }
    case "restore":
      return { kind: "list", op, id }
  }
}

/** A `put` that may not replace creates. */
const putOf = ({ ifAbsent }: Pick<Operation, "ifAbsent">) => (ifAbsent === true ? "create" : "put")

const toOf = ({ after, before }: Pick<Operation, "after" | "before">) => (before === undefined ? { after } : { before })

const doneOf = (request: WriteRequest, { created, row }: Written<Todo | TodoList>): WriteDone =>
  request.kind === "todo"
    ? { kind: "todo", op: request.op, created, todo: row as Todo }
    : { kind: "list", op: request.op, created, list: row as TodoList }
