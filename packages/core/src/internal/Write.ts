/**
 * The doors of all writes: functions of the database, one call each, atomic
 * (`schema/functions/write.ts`), and what their failures are here.
 */
import { createHash } from "node:crypto"
import * as Effect from "effect/Effect"
import * as Errors from "../domain/Errors.ts"
import type { IdempotencyKey } from "../domain/IdempotencyKey.ts"
import type { IfRevision } from "../domain/Revision.ts"
import type { CurrentUser } from "../domain/User.ts"
import type { BatchedScope } from "../database/BatchedScope.ts"
import type { UserScope } from "../database/UserScope.ts"

/** One operation, as `write_todo` and `write_list` read it. */
export interface Operation {
  readonly kind: "todo" | "list"
  readonly op: "put" | "update" | "delete" | "restore" | "move"
  readonly id: string
  /** The columns to set; those that are not there keep their value. */
  readonly fields?: Record<string, unknown>
  readonly ifRevision?: IfRevision | undefined
  readonly ifAbsent?: boolean | undefined
  /** Where to `move`. */
  readonly before?: string
  readonly after?: string
  /** What becomes of the todos of a list that is deleted. */
  readonly todos?: "trash" | "keep" | undefined
}

/** What an operation did: the row as it is now, and whether it is new. */
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

/** The writes of one kind of row. Each may fail as listed in `expected`; any other failure is a defect. */
export interface Writer<Row> {
  /** One operation. */
  readonly one: <const Expected extends Failure>(
    operation: Operation,
    expected: ReadonlyArray<Expected>
  ) => Effect.Effect<Written<Row>, FailureOf<Expected> | WriteError, CurrentUser>
  /** One operation, at most once under its key, where it has one. */
  readonly once: <const Expected extends Failure>(
    key: IdempotencyKey | undefined,
    operation: Operation,
    expected: ReadonlyArray<Expected>
  ) => Effect.Effect<Written<Row>, FailureOf<Expected> | KeyError | WriteError, CurrentUser>
  /** Operations of which all happen or none, at most once under their key. */
  readonly allOnce: <const Expected extends Failure>(
    key: IdempotencyKey | undefined,
    operations: ReadonlyArray<Operation>,
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
    `select ${schema}.write_held(held.account, $2::jsonb)::text ${unlessLocked}`,
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

  const runOne: Writer<Row>["one"] = (operation, expected) => {
    const json = JSON.stringify(operation)
    return run(isQuick(operation, json) ? writeBatched : write, expected, json)
  }

  const keyed = ["idempotency-key-reused", "idempotency-key-in-use"] as const
  return {
    one: runOne,
    once: (key, operation, expected) => {
      if (key === undefined) return runOne(operation, expected)
      const json = JSON.stringify(operation)
      const print = fingerprint({ ...asked(operation), ifRevision: undefined })
      return run(isQuick(operation, json) ? writeOnceBatched : writeOnce, [...expected, ...keyed], json, key, print)
    },
    allOnce: (key, operations, expected) =>
      key === undefined
        ? run(writeAll, expected, JSON.stringify(operations))
        : run(writeOnce, [...expected, ...keyed], JSON.stringify(operations), key, fingerprint(operations.map(asked)))
  }
}

/** Whether it changes one row and little of it, so that other calls may wait for it. */
const isQuick = ({ kind, op }: Operation, json: string): boolean =>
  kind === "todo" && op !== "move" && json.length <= 4_096

/** What makes two requests the same: what their bodies ask for, but for the ids that we made up. */
const asked = ({ fields, id, ifAbsent, ...operation }: Operation) => ({
  ...operation,
  id: ifAbsent === true ? undefined : id,
  fields: fields && Object.entries(fields).filter(([column]) => !derived.has(column))
})

/** Columns that are made of others, and by another release perhaps otherwise. */
const derived = new Set(["title_key", "title_words", "description_words", "due_at"])

const fingerprint = (request: unknown): string =>
  createHash("sha256").update(JSON.stringify(request)).digest("base64url")
