/**
 * Calls the write functions of the database (`schema/functions/write.ts`), one call for each write, and turns their
 * failures into typed errors. Here a request becomes columns, once.
 */
import { createHash } from "node:crypto"
import * as Effect from "effect/Effect"
import * as Errors from "../domain/Errors.ts"
import type { IdempotencyKey } from "../domain/IdempotencyKey.ts"
import type { CurrentUser } from "../domain/User.ts"
import { columns as listColumns } from "../lists/ListColumns.ts"
import { columns as todoColumns, todoColumns as todoRecord } from "../todos/TodoColumns.ts"
import { derivedColumns } from "./FieldColumns.ts"
import type { Step, WriteRequest } from "./WriteRequest.ts"
import type { BatchedScope } from "../database/BatchedScope.ts"
import type { UserScope } from "../database/UserScope.ts"

/** What a write did: the row as it is now, and whether it is new. */
export interface Written<Row> {
  readonly created: boolean
  readonly row: Row
}

interface Details {
  readonly current?: number | null
  readonly index?: number
}

const at = ({ index }: Details) => (index === undefined ? {} : { index })

const failures = {
  "todo-not-found": (details) => new Errors.TodoNotFound(at(details)),
  "list-not-found": (details) => new Errors.ListNotFound(at(details)),
  "revision-mismatch": (details) => new Errors.RevisionMismatch({ current: details.current ?? null, ...at(details) }),
  "in-trash": () => new Errors.Conflict({ reason: "in-trash" }),
  "list-not-empty": () => new Errors.ListNotEmpty(),
  "user-disabled": () => new Errors.UserDisabled(),
  "idempotency-key-reused": () => new Errors.IdempotencyKeyReused(),
  "idempotency-key-in-use": () => new Errors.IdempotencyKeyInUse()
} satisfies Record<string, (details: Details) => unknown>

type Failure = keyof typeof failures
type FailureOf<Name extends Failure> = ReturnType<(typeof failures)[Name]>

/** How every write can fail; with `WriteRefused` only where the host has hooks. */
export type WriteError = Errors.UserDisabled | Errors.Unavailable | Errors.Conflict | Errors.WriteRefused

/** How a write under a key can fail besides. */
export type KeyError = Errors.IdempotencyKeyReused | Errors.IdempotencyKeyInUse

type Answer<Done> = Done | (Details & { readonly failure: Failure })

/** The writes of one kind of row. Each may fail as `expected` lists; any other failure is a defect. */
export interface Writer<Row> {
  /** One request. */
  readonly one: <const Expected extends Failure>(
    step: Step,
    expected: ReadonlyArray<Expected>
  ) => Effect.Effect<Written<Row>, FailureOf<Expected> | WriteError, CurrentUser>
  /** One request, at most once under its key if it has one. */
  readonly once: <const Expected extends Failure>(
    key: IdempotencyKey | undefined,
    step: Step,
    expected: ReadonlyArray<Expected>
  ) => Effect.Effect<Written<Row>, FailureOf<Expected> | KeyError | WriteError, CurrentUser>
  /** Requests of which all happen or none, at most once under their key. */
  readonly allOnce: <const Expected extends Failure>(
    key: IdempotencyKey | undefined,
    steps: ReadonlyArray<Step>,
    expected: ReadonlyArray<Expected>
  ) => Effect.Effect<ReadonlyArray<Written<Row>>, FailureOf<Expected> | KeyError | WriteError, CurrentUser>
}

export const make = <Row>(scope: UserScope, batched: BatchedScope, schema: string): Writer<Row> => {
  const one = `select ${schema}.write(me.id, $2::jsonb)::text`
  const once = `select ${schema}.write_once(me.id, $2::jsonb, $3, $4)::text`
  // The lock on the user's row is the one thing that a write can have to wait for.
  const unlessLocked = `from (
  select u as account from ${schema}.users u where u.id = me.id for no key update skip locked offset 0
) held`
  const write = scope.write(one)
  const writeBatched = batched.write(
    one,
    `select ${schema}.write_locked(held.account, $2::jsonb)::text ${unlessLocked}`,
    1
  )
  const writeAll = scope.write(`select ${schema}.write_all(me.id, $2::jsonb)::text`)
  const writeOnce = scope.write(once)
  const writeOnceBatched = batched.write(once, `${once} ${unlessLocked}`, 3)

  const run = <Done extends object, const Expected extends Failure>(
    call: typeof write,
    expected: ReadonlyArray<Expected>,
    ...parameters: ReadonlyArray<string>
  ): Effect.Effect<Done, FailureOf<Expected> | WriteError, CurrentUser> =>
    Effect.flatMap(call(...parameters), (rows) => {
      const answer: Answer<Done> = JSON.parse(String(rows[0]?.[0]))
      if (!("failure" in answer)) return Effect.succeed(answer)
      const isExpected = answer.failure === "user-disabled" || expected.some((name) => name === answer.failure)
      return isExpected
        ? Effect.fail(failures[answer.failure](answer) as FailureOf<Expected> | WriteError)
        : Effect.die(new Error(`a write answered ${answer.failure}`))
    })

  const runOne = <const Expected extends Failure>(operation: Operation, expected: ReadonlyArray<Expected>) => {
    const json = JSON.stringify(operation)
    return run<Written<Row>, Expected>(isQuick(operation, json) ? writeBatched : write, expected, json)
  }

  const keyed = ["idempotency-key-reused", "idempotency-key-in-use"] as const
  return {
    one: (step, expected) => runOne(toOperation(step), expected),
    once: (key, step, expected) => {
      const operation = toOperation(step)
      if (key === undefined) return runOne(operation, expected)
      const json = JSON.stringify(operation)
      const print = fingerprint({ ...contentOf(operation), ifRevision: undefined })
      return run(isQuick(operation, json) ? writeOnceBatched : writeOnce, [...expected, ...keyed], json, key, print)
    },
    allOnce: (key, steps, expected) => {
      const operations = steps.map(toOperation)
      const json = JSON.stringify(operations)
      return key === undefined
        ? run(writeAll, expected, json)
        : run(writeOnce, [...expected, ...keyed], json, key, fingerprint(operations.map(contentOf)))
    }
  }
}

/** A request as `write_todo` and `write_list` read it. Columns that are not in `fields` keep their value. */
interface Operation {
  readonly kind: WriteRequest["kind"]
  readonly op: Exclude<WriteRequest["op"], "create">
  readonly id: string
  readonly fields?: Record<string, unknown>
  readonly ifRevision?: Step["ifRevision"]
  readonly ifAbsent?: boolean
  readonly before?: string
  readonly after?: string
  readonly todos?: "trash" | "keep"
}

const toOperation = ({ ifRevision, request }: Step): Operation => {
  const { id, kind, op } = request
  return {
    kind,
    op: op === "create" ? "put" : op,
    id,
    ...(op === "create" && { ifAbsent: true }),
    ...("todo" in request && { fields: todoColumns(request.todo) }),
    ...("list" in request && { fields: listColumns(request.list) }),
    ...("patch" in request && { fields: (kind === "todo" ? todoColumns : listColumns)(request.patch) }),
    ...("to" in request && request.to),
    ...("todos" in request && { todos: request.todos }),
    ...(ifRevision !== undefined && { ifRevision })
  }
}

/** Whether it changes one row and little of it, so that other calls may wait for it. */
const isQuick = ({ kind, op }: Operation, json: string): boolean =>
  kind === "todo" && op !== "move" && json.length <= 4_096

/**
 * What makes two requests the same: the content of their bodies, without ids of the server and derived columns. Keys are
 * good for a day and outlive an upgrade, so the order of these members and columns stays as it is.
 */
const contentOf = ({ after, before, fields, id, ifAbsent, ifRevision, kind, op }: Operation) => ({
  kind,
  op,
  // As a list, so that one revision is the same however it was written.
  ifRevision: typeof ifRevision === "number" ? [ifRevision] : ifRevision,
  before,
  after,
  id: ifAbsent === true ? undefined : id,
  fields:
    fields &&
    Object.entries(fields)
      .filter(([column]) => !derived.has(column))
      .toSorted(([one], [other]) => Number(isOfDue(one)) - Number(isOfDue(other)))
})

const isOfDue = (column: string): boolean => column.startsWith("due_")

const derived = new Set(derivedColumns(todoRecord))

const fingerprint = (content: unknown): string =>
  createHash("sha256").update(JSON.stringify(content)).digest("base64url")
