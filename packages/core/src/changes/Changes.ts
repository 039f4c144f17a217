import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type * as SqlClient from "effect/sql/SqlClient"
import { type Change, type ChangePage, ChangeQuery, changesLimit } from "../domain/Change.ts"
import {
  CursorExpired,
  InvalidCursor,
  type InvalidInput,
  type Unavailable,
  type UserDisabled
} from "../domain/Errors.ts"
import { Revision } from "../domain/Revision.ts"
import { CurrentUser, type UserId } from "../domain/User.ts"
import * as ChangesSql from "./ChangesSql.ts"
import * as Cursor from "../database/Cursor.ts"
import { Revisions } from "./RevisionWatch.ts"
import * as BatchedScope from "../database/BatchedScope.ts"
import * as UserScope from "../database/UserScope.ts"
import { validated } from "../domain/validate.ts"
import { SchemaName } from "../schema/SchemaName.ts"

/** A change and the cursor that continues behind it. */
export interface LiveChange {
  /** The row as it is after the change. */
  readonly change: Change
  /** Opaque: `since` of the next query. */
  readonly cursor: string
}

/** How reading changes can fail. */
export type ChangesError = InvalidInput | InvalidCursor | CursorExpired | Unavailable

/**
 * What happened to the current user's todos and lists, without a gap: each row once, at
 * its latest revision, in revision order. Reading all from the start and keeping the last
 * of each id gives exactly the tables.
 *
 * @example
 * const changes = yield* Changes
 * const { changes: rows, hasMore, nextCursor } = yield* changes.page({ since: lastCursor, limit: 100 })
 */
export class Changes extends Context.Service<
  Changes,
  {
    /**
     * The changes after `since`, all where there is none. `CursorExpired` where some of
     * what came after the cursor was purged: start again without one.
     */
    readonly page: (query: ChangeQuery) => Effect.Effect<ChangePage, ChangesError, CurrentUser>

    /**
     * The changes after `since`, and then each as it happens, within half a second,
     * whichever process made it. Pulls no faster than it is read. Fails when the database
     * has been away for some ten seconds; go on after the last cursor.
     */
    readonly stream: (
      query: Pick<ChangeQuery, "since">
    ) => Stream.Stream<LiveChange, ChangesError | UserDisabled, CurrentUser>
  }
>()("@todo/core/Changes") {
  /** Works on the host's `SqlClient`, as `Todos.layer` does. One query a tick serves all streams of the process. */
  static readonly layer: Layer.Layer<Changes, never, SqlClient.SqlClient> = Layer.effect(
    Changes,
    Effect.suspend(() => make)
  ).pipe(Layer.provide(Layer.suspend(() => Revisions.layer)))
}

/**
 * Where a reader stands: what it has seen, and the horizon when it began from the start.
 * Rows that were purged before that never reached it, so it need not hear of them.
 */
type Place = readonly [revision: number, begun: number]

/** The digest of a cursor is no secret, so what is in it may be anything. */
const isPlace: (values: unknown) => values is Place = Schema.is(Schema.Tuple([Revision, Revision]))

const binding = "changes"

const make = Effect.gen(function* () {
  const { read } = yield* UserScope.make
  const batched = yield* BatchedScope.make
  const revisions = yield* Revisions
  const schema = `"${yield* SchemaName}"`
  const selectPage = read(ChangesSql.page(schema))
  const selectUnmoved = batched.read(ChangesSql.unmoved(schema), 1)
  const valid = validated(ChangeQuery)

  const placeOf = (user: UserId, cursor: string | undefined): Effect.Effect<Place | undefined, InvalidCursor> =>
    cursor === undefined
      ? Effect.succeed(undefined)
      : Effect.filterOrFail(Cursor.open(user, binding, cursor), isPlace, () => new InvalidCursor())

  const pageAfter = Effect.fnUntraced(function* (place: Place | undefined, limit: number) {
    // Whoever has seen nothing begins now: there is nothing that could be missed.
    const [since, begun] = place === undefined || place[0] === 0 ? [0, undefined] : place
    const rows = yield* selectPage(since, limit + 1)
    const isUser = rows[0]?.[0] === "user"
    const [revision, horizon]: Place = isUser ? JSON.parse(String(rows[0]?.[2])) : [0, 0]
    // A cursor from the future comes from a database that was restored to an earlier state. One that the user has
    // overtaken since cannot be told from a good one: see docs/backup-and-users.md.
    if (since > revision || (since < horizon && begun !== undefined && begun < horizon)) {
      return yield* new CursorExpired()
    }
    const found = rows.slice(isUser ? 1 : 0)
    const changes = found.slice(0, limit).map(([kind, , item]) => toChange(String(kind), String(item)))
    const hasMore = found.length > limit
    // With the last page all is seen, also where the rows of the latest revisions are purged.
    const seen = hasMore ? (changes.at(-1)?.revision ?? since) : revision
    return { changes, hasMore, begun: begun ?? horizon, seen }
  })

  return Changes.of({
    page: Effect.fnUntraced(function* (given) {
      const { limit = changesLimit.default, since } = yield* valid(given)
      const user = yield* CurrentUser
      const place = yield* placeOf(user.id, since)
      // Most who ask have seen everything, which is quickly read.
      if (since !== undefined && place !== undefined && (yield* selectUnmoved(place[0])).length > 0) {
        return { changes: [], nextCursor: since, hasMore: false }
      }
      const page = yield* pageAfter(place, limit)
      return {
        changes: page.changes,
        nextCursor: Cursor.make(user.id, binding, [page.seen, page.begun]),
        hasMore: page.hasMore
      }
    }),

    stream: ({ since }) =>
      Stream.unwrap(
        Effect.gen(function* () {
          const user = yield* CurrentUser
          const start = yield* placeOf(user.id, since)
          const watch = yield* revisions.watch(user.id)
          const next = Effect.fnUntraced(function* (place: Place | undefined) {
            const page = yield* pageAfter(place, changesLimit.default)
            if (!page.hasMore && page.changes.length === 0) yield* watch.beyond(page.seen)
            const changes = page.changes.map((change): LiveChange => ({
              change,
              cursor: Cursor.make(user.id, binding, [change.revision, page.begun])
            }))
            return [changes, Option.some<Place>([page.seen, page.begun])] as const
          })
          return Stream.paginate(start, next)
        })
      )
  })
})

const toChange = (kind: string, item: string): Change => {
  const row = JSON.parse(item)
  const { deletedAt, id, revision } = row
  const deleted = deletedAt !== null
  return kind === "todo"
    ? { kind: "todo", id, revision, deleted, todo: row }
    : { kind: "list", id, revision, deleted, list: row }
}
