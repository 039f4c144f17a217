/**
 * Turns a write request into columns, calls a write function of the database (`schema/functions/write.ts`) once, and turns
 * its failure into a typed error.
 */
import { createHash } from "node:crypto"
import * as Effect from "effect/Effect"
import * as Errors from "../domain/Errors.ts"
import type { IdempotencyKey } from "../domain/IdempotencyKey.ts"
import type { CurrentUser } from "../domain/User.ts"
import type { FieldWrites } from "./FieldColumns.ts"
import { writeStatements } from "./writeStatements.ts"
import * as WritesSql from "./WritesSql.ts"
import type { ConditionalRequest, WriteRequest } from "./WriteRequest.ts"
import type { BatchedScope } from "../database/BatchedScope.ts"
import type { UserScope } from "../database/UserScope.ts"
import type { QuotedSchema } from "../schema/SchemaName.ts"

/** The result of a write: the row after it, and whether the write created it. */
export interface Written<Row> {
  readonly created: boolean
  readonly row: Row
}

interface Details {
  readonly current?: number | null
  readonly index?: number
}

const indexOf = ({ index }: Details) => (index === undefined ? {} : { index })

const failures = {
  "todo-not-found": (details) => new Errors.TodoNotFound(indexOf(details)),
  "list-not-found": (details) => new Errors.ListNotFound(indexOf(details)),
  "revision-mismatch": (details) =>
    new Errors.RevisionMismatch({ current: details.current ?? null, ...indexOf(details) }),
  "in-trash": () => new Errors.Conflict({ reason: "in-trash" }),
  "list-not-empty": () => new Errors.ListNotEmpty(),
  "user-disabled": () => new Errors.UserDisabled(),
  "idempotency-key-reused": () => new Errors.IdempotencyKeyReused(),
  "idempotency-key-in-use": () => new Errors.IdempotencyKeyInUse()
} satisfies Record<string, (details: Details) => unknown>

type Failure = keyof typeof failures
type FailureOf<Name extends Failure> = ReturnType<(typeof failures)[Name]>

/** The errors of every write. `WriteRefused` occurs only if the host has hooks. */
export type WriteError = Errors.UserDisabled | Errors.Unavailable | Errors.Conflict | Errors.WriteRefused

/** The additional errors of a write with an idempotency key. */
export type KeyError = Errors.IdempotencyKeyReused | Errors.IdempotencyKeyInUse

type Answer<Done> = Done | (Details & { readonly failure: Failure })

/** The writes of todos or of lists. `expected` lists the failures that a write can have; any other failure is a defect. */
export interface Writer<Row, Request extends WriteRequest> {
  /** Runs one request. */
  readonly one: <const Expected extends Failure>(
    request: ConditionalRequest<Request>,
    expected: ReadonlyArray<Expected>
  ) => Effect.Effect<Written<Row>, FailureOf<Expected> | WriteError, CurrentUser>
  /** Runs one request. With a key it happens at most once. */
  readonly once: <const Expected extends Failure>(
    key: IdempotencyKey | undefined,
    request: ConditionalRequest<Request>,
    expected: ReadonlyArray<Expected>
  ) => Effect.Effect<Written<Row>, FailureOf<Expected> | KeyError | WriteError, CurrentUser>
  /** Runs all requests or none. With a key they happen at most once. */
  readonly allOnce: <const Expected extends Failure>(
    key: IdempotencyKey | undefined,
    requests: ReadonlyArray<ConditionalRequest<Request>>,
    expected: ReadonlyArray<Expected>
  ) => Effect.Effect<ReadonlyArray<Written<Row>>, FailureOf<Expected> | KeyError | WriteError, CurrentUser>
}

/** Builds the writer. */
export const make = <Row, Request extends WriteRequest>(
  scope: UserScope,
  batched: BatchedScope,
  schema: QuotedSchema,
  { columnsOf, fingerprinted }: FieldWrites<Request>
): Writer<Row, Request> => {
  const statements = writeStatements(scope, batched, schema)
  const writeAll = scope.write(WritesSql.writeAll(schema))
  const writeAllOnce = scope.write(WritesSql.writeOnce(schema))

  const run = <Done extends object, const Expected extends Failure>(
    call: typeof writeAll,
    expected: ReadonlyArray<Expected>,
    ...parameters: ReadonlyArray<string>
  ): Effect.Effect<Done, FailureOf<Expected> | WriteError, CurrentUser> =>
    Effect.flatMap(call(...parameters), ([row]) => {
      if (row === undefined) return Effect.die(new Error("a write function returned no row"))
      const answer: Answer<Done> = JSON.parse(row[0])
      if (!("failure" in answer)) return Effect.succeed(answer)
      const isExpected = answer.failure === "user-disabled" || expected.some((name) => name === answer.failure)
      return isExpected
        ? Effect.fail(failures[answer.failure](answer) as FailureOf<Expected> | WriteError)
        : Effect.die(new Error(`unexpected failure of a write: ${answer.failure}`))
    })

  const runOne = <const Expected extends Failure>(operation: Operation, expected: ReadonlyArray<Expected>) => {
    const json = JSON.stringify(operation)
    return run<Written<Row>, Expected>(statements.one(operation, json), expected, json)
  }

  const operationOf = ({ ifRevision, request }: ConditionalRequest<Request>): Operation =>
    toOperation(request, columnsOf(request), ifRevision)

  const keyFailures = ["idempotency-key-reused", "idempotency-key-in-use"] as const
  return {
    one: (request, expected) => runOne(operationOf(request), expected),
    once: (key, request, expected) => {
      const operation = operationOf(request)
      if (key === undefined) return runOne(operation, expected)
      const json = JSON.stringify(operation)
      const contentHash = fingerprint({ ...contentOf(operation, fingerprinted), ifRevision: undefined })
      return run(statements.once(operation, json), [...expected, ...keyFailures], json, key, contentHash)
    },
    allOnce: (key, requests, expected) => {
      const operations = requests.map(operationOf)
      const json = JSON.stringify(operations)
      if (key === undefined) return run(writeAll, expected, json)
      const contentHash = fingerprint(operations.map((operation) => contentOf(operation, fingerprinted)))
      return run(writeAllOnce, [...expected, ...keyFailures], json, key, contentHash)
    }
  }
}

/** The JSON that `write_todo` and `write_list` read. A column that is not in `fields` keeps its value. */
interface Operation {
  readonly kind: WriteRequest["kind"]
  readonly op: Exclude<WriteRequest["op"], "create">
  readonly id: string
  readonly fields?: Readonly<Record<string, unknown>> | undefined
  readonly ifRevision: ConditionalRequest["ifRevision"]
  readonly ifAbsent?: boolean
  readonly before?: string
  readonly after?: string
  readonly todos?: "trash" | "keep" | undefined
}

/** The fingerprint of an idempotency key does not depend on the order of these members (`contentOf`). */
const toOperation = (
  request: WriteRequest,
  fields: Operation["fields"],
  ifRevision: ConditionalRequest["ifRevision"]
): Operation => {
  const { id, kind } = request
  switch (request.op) {
    case "create":
      return { kind, op: "put", id, fields, ifRevision, ifAbsent: true }
    case "put":
    case "update":
      return { kind, op: request.op, id, fields, ifRevision }
    case "delete":
      return { kind, op: "delete", id, ifRevision, todos: request.kind === "list" ? request.todos : undefined }
    case "restore":
      return { kind, op: "restore", id, ifRevision }
    case "move":
      return { kind, op: "move", id, ifRevision, ...request.to }
  }
}

/**
 * The content by which an idempotency key recognises a repeated request: no ids of the server, no derived columns. A
 * stored fingerprint must still match after an upgrade, so the order of these members must not change.
 */
const contentOf = (
  { after, before, fields, id, ifAbsent, ifRevision, kind, op }: Operation,
  fingerprinted: ReadonlyArray<string>
) => ({
  kind,
  op,
  // A single revision and a list with that revision are the same condition.
  ifRevision: typeof ifRevision === "number" ? [ifRevision] : ifRevision,
  before,
  after,
  id: ifAbsent === true ? undefined : id,
  fields: fields && fingerprinted.flatMap((column) => (column in fields ? [[column, fields[column]]] : []))
})

const fingerprint = (content: unknown): string =>
  createHash("sha256").update(JSON.stringify(content)).digest("base64url")
