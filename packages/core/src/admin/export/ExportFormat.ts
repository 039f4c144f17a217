/**
 * An export: a file of lines, each a JSON document (NDJSON). First the header, then the lists and then the todos of
 * one user, trash included, each kind by id, and at last a count of both, without which a file is not whole.
 * The rows are those of the API; the schemas add what only matters where rows are restored.
 */
import * as Schema from "effect/Schema"
import { Revision } from "../../domain/Revision.ts"
import { Instant, Timestamp } from "../../domain/Time.ts"
import { Position, Todo } from "../../domain/Todo.ts"
import { TodoList } from "../../domain/TodoList.ts"
import { UserId } from "../../domain/User.ts"
import { revisionOf } from "../../writes/OrderKey.ts"

/** Twice as long as a line with every text at its limit can get, in bytes. */
export const longestLine = 512 * 1024

/** More than any user gets to, and far from where JavaScript cannot count any more: whoever gets it can go on from it. */
const Reached = Revision.check(Schema.isLessThanOrEqualTo(10_000_000_000_000))

/** As far as moves let an order key grow, and more. */
const longestKey = 100

const isInstant = Schema.is(Instant)

const Moment = Timestamp.check(Schema.makeFilter(isInstant, { expected: "a time that exists" }))

/** The state of the user that is no row. */
const UserState = Schema.Struct({
  id: UserId,
  revision: Reached,
  horizon: Reached,
  createdAt: Moment,
  writtenAt: Moment,
  disabledAt: Schema.NullOr(Moment)
}).check(
  Schema.makeFilter(({ horizon, revision }) => horizon <= revision, {
    expected: "a horizon that is no further than the revision"
  })
)

export const Header = Schema.Struct({
  format: Schema.Literal("todo-export"),
  version: Schema.Literal(1),
  user: UserState
})
export type Header = typeof Header.Type

/** Both kinds of row have these, and of these the database asks more than clients do. */
const stored = {
  position: Position.check(
    Schema.makeFilter<string>((key) => key.length <= longestKey && revisionOf(key) !== undefined, {
      expected: "an order key"
    })
  ),
  revision: Reached.check(Schema.isGreaterThanOrEqualTo(1)),
  createdAt: Moment,
  updatedAt: Moment,
  deletedAt: Schema.NullOr(Moment)
}

export const ListLine = Schema.Struct({ list: Schema.Struct({ ...TodoList.fields, ...stored }) })

export const TodoLine = Schema.Struct({
  todo: Schema.Struct({ ...Todo.fields, completedAt: Schema.NullOr(Moment), ...stored }).check(
    Schema.makeFilter(({ completed, completedAt }) => completed === (completedAt !== null), {
      expected: "completedAt where completed is true, and only there"
    })
  )
})

export const Trailer = Schema.Struct({ end: Schema.Struct({ lists: Schema.Int, todos: Schema.Int }) })
export type Trailer = typeof Trailer.Type
