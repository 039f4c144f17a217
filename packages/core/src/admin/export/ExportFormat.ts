/**
 * The format of an export: a text file with one JSON document a line (NDJSON). The first line is the header. Then come the
 * lists and the todos, ordered by id, including the trash. The last line has the number of both, and shows that the file is
 * complete. Rows have the fields of the API; the schemas here add the checks that a restore needs.
 */
import * as Schema from "effect/Schema"
import { Revision } from "../../domain/Revision.ts"
import { Instant, Timestamp } from "../../domain/Time.ts"
import { Position, Todo } from "../../domain/Todo.ts"
import { TodoList } from "../../domain/TodoList.ts"
import { UserId } from "../../domain/User.ts"
import * as OrderKey from "../../writes/OrderKey.ts"

/** In bytes. A line in which every text has its maximum length needs half of it. */
export const longestLine = 512 * 1024

/** The maximum is above every real revision, and far enough below 2^53 for later writes of the user. */
const Reached = Revision.check(
  Schema.isLessThanOrEqualTo(10_000_000_000_000, { expected: "a whole number from 0 to 10,000,000,000,000" })
)

/** In characters. Moves make only shorter order keys. */
const longestKey = 100

const isInstant = Schema.is(Instant)

const Moment = Timestamp.check(Schema.makeFilter(isInstant, { message: "must be a time that exists" }))

const UserState = Schema.Struct({
  id: UserId,
  revision: Reached,
  horizon: Reached,
  createdAt: Moment,
  writtenAt: Moment,
  disabledAt: Schema.NullOr(Moment)
}).check(
  Schema.makeFilter(({ horizon, revision }) => horizon <= revision, {
    message: "must not have a horizon beyond its revision"
  })
)

export const Header = Schema.Struct({
  format: Schema.Literal("todo-export"),
  version: Schema.Literal(1),
  user: UserState
})
export type Header = typeof Header.Type

/** Fields of lists and todos for which the database is stricter than the API. */
const stored = {
  position: Position.check(
    Schema.makeFilter<string>((key) => key.length <= longestKey && OrderKey.revisionOf(key) !== undefined, {
      expected: "an order key as an export writes it"
    })
  ),
  revision: Reached.check(
    Schema.isGreaterThanOrEqualTo(1, { expected: "a whole number from 1 to 10,000,000,000,000" })
  ),
  createdAt: Moment,
  updatedAt: Moment,
  deletedAt: Schema.NullOr(Moment)
}

export const ListLine = Schema.Struct({ list: Schema.Struct({ ...TodoList.fields, ...stored }) })

export const TodoLine = Schema.Struct({
  todo: Schema.Struct({ ...Todo.fields, completedAt: Schema.NullOr(Moment), ...stored }).check(
    Schema.makeFilter(({ completed, completedAt }) => completed === (completedAt !== null), {
      message: "must have completedAt if it is completed, and only then"
    })
  )
})

export const Trailer = Schema.Struct({ end: Schema.Struct({ lists: Schema.Int, todos: Schema.Int }) })
export type Trailer = typeof Trailer.Type
