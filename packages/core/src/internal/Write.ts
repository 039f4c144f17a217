/**
 * The doors of all writes: the functions `write` and `write_all` of the database, one call
 * and one transaction each (`migrations/0001/write.ts`), and what their failures are here.
 */
import * as Effect from "effect/Effect"
import {
  Conflict,
  ListNotEmpty,
  ListNotFound,
  RevisionMismatch,
  TodoNotFound,
  type Unavailable,
  UserDisabled
} from "../domain/Errors.ts"
import type { IfRevision } from "../domain/Revision.ts"
import type { CurrentUser } from "../domain/User.ts"
import type { Scoped } from "./UserScope.ts"

export const statement = (schema: string) => `select ${schema}.write(me.id, $2::jsonb)::text`

export const statementAll = (schema: string) => `select ${schema}.write_all(me.id, $2::jsonb)::text`

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

const failures = {
  "todo-not-found": ({ index }) => new TodoNotFound({ ...(index !== undefined && { index }) }),
  "list-not-found": ({ index }) => new ListNotFound({ ...(index !== undefined && { index }) }),
  "revision-mismatch": ({ current = null, index }) =>
    new RevisionMismatch({ current, ...(index !== undefined && { index }) }),
  "in-trash": () => new Conflict({ reason: "in-trash" }),
  "list-not-empty": () => new ListNotEmpty(),
  "user-disabled": () => new UserDisabled()
} satisfies Record<string, (details: { readonly current?: number | null; readonly index?: number }) => unknown>

type Failure = keyof typeof failures
type FailureOf<Name extends Failure> = ReturnType<(typeof failures)[Name]>

interface Failed {
  readonly failure: Failure
  readonly current?: number | null
  readonly index?: number
}

/** What an operation did: the row as it is now, and whether it is new. */
export interface Written<Row> {
  readonly created: boolean
  readonly row: Row
}

const run = <Answer extends object, const Expected extends Failure>(
  call: Scoped,
  input: object,
  expected: ReadonlyArray<Expected>
): Effect.Effect<Answer, FailureOf<Expected> | UserDisabled | Unavailable, CurrentUser> =>
  Effect.flatMap(call(JSON.stringify(input)), (rows) => {
    const answer: Answer | Failed = JSON.parse(String(rows[0]?.[0]))
    if (!("failure" in answer)) return Effect.succeed(answer)
    const isExpected = answer.failure === "user-disabled" || expected.some((name) => name === answer.failure)
    return isExpected
      ? Effect.fail(failures[answer.failure](answer) as FailureOf<Expected> | UserDisabled)
      : Effect.die(new Error(`a write answered ${answer.failure}`))
  })

/** Runs one operation, which may fail as listed in `expected`; anything else is a defect. */
export const make =
  <Row>(call: Scoped) =>
  <const Expected extends Failure>(operation: Operation, expected: ReadonlyArray<Expected>) =>
    run<Written<Row>, Expected>(call, operation, expected)

/** Runs operations of which all happen or none; the failure tells the index. */
export const makeAll =
  <Row>(call: Scoped) =>
  <const Expected extends Failure>(operations: ReadonlyArray<Operation>, expected: ReadonlyArray<Expected>) =>
    run<ReadonlyArray<Written<Row>>, Expected>(call, operations, expected)
