/**
 * The door of every write: the function `write` of the database, one call and one
 * transaction each (`migrations/0001_todos.ts`), and what its failures are in core.
 */
import * as Effect from "effect/Effect"
import {
  Conflict,
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

export interface Operation {
  readonly kind: "todo"
  readonly op: "put" | "update" | "delete" | "restore"
  readonly id: string
  /** The columns to set; those that are not there keep their value. */
  readonly fields?: Record<string, unknown>
  readonly ifRevision?: IfRevision | undefined
  readonly ifAbsent?: boolean | undefined
}

const failures = {
  "todo-not-found": () => new TodoNotFound(),
  "list-not-found": () => new ListNotFound(),
  "revision-mismatch": (current) => new RevisionMismatch({ current }),
  "in-trash": () => new Conflict({ reason: "in-trash" }),
  "user-disabled": () => new UserDisabled()
} satisfies Record<string, (current: number | null) => unknown>

type Failure = keyof typeof failures
type FailureOf<Name extends Failure> = ReturnType<(typeof failures)[Name]>

type Answer<Row> =
  | { readonly created: boolean; readonly row: Row }
  | { readonly failure: Failure; readonly current?: number | null }

/** Runs one operation, which may fail as listed in `expected`; anything else is a defect. */
export const make =
  <Row>(call: Scoped) =>
  <const Expected extends Failure>(
    operation: Operation,
    expected: ReadonlyArray<Expected>
  ): Effect.Effect<
    { readonly created: boolean; readonly row: Row },
    FailureOf<Expected> | UserDisabled | Unavailable,
    CurrentUser
  > =>
    Effect.flatMap(call(JSON.stringify(operation)), (rows) => {
      const answer: Answer<Row> = JSON.parse(String(rows[0]?.[0]))
      if (!("failure" in answer)) return Effect.succeed(answer)
      const { failure, current = null } = answer
      const isExpected = failure === "user-disabled" || expected.some((name) => name === failure)
      return isExpected
        ? Effect.fail(failures[failure](current) as FailureOf<Expected> | UserDisabled)
        : Effect.die(new Error(`${operation.op} answered ${failure}`))
    })
