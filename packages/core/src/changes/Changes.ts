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
import { RevisionWatch } from "./RevisionWatch.ts"
import * as BatchedScope from "../database/BatchedScope.ts"
import * as UserScope from "../database/UserScope.ts"
import { validate } from "../domain/validate.ts"
import { quotedSchema } from "../schema/SchemaName.ts"

/** A change with the cursor that continues after it. */
export interface LiveChange {
  /** The row after the change. */
  readonly change: Change
  /** Opaque. Pass it as `since` to continue. */
  readonly cursor: string
}

/** The errors of reading changes. */
export type ChangesError = InvalidInput | InvalidCursor | CursorExpired | Unavailable

/**
 * The change feed of the current user's todos and lists. It has each changed row once, at its latest revision, in revision
 * order and without gaps. A client that reads it from the start and keeps the last change of each id has exactly the
 * user's rows.
 *
 * @example
 * const changes = yield* Changes
 * const { changes: rows, hasMore, nextCursor } = yield* changes.page({ since: lastCursor, limit: 100 })
 */
export class Changes extends Context.Service<
  Changes,
  {
    /**
     * Reads one page of the changes after the cursor `since`, or from the start without one. `limit` is 1 to 500 changes,
     * 100 by default. `nextCursor` continues the feed even if the page is empty. `hasMore` says whether the next page has
     * changes already.
     *
     * Errors: `InvalidInput`; `InvalidCursor` if the cursor belongs to another user; `CursorExpired` if changes after the
     * cursor were purged, or the database was restored to an earlier state (drop local data and start without a cursor);
     * `Unavailable`.
     */
    readonly page: (query: ChangeQuery) => Effect.Effect<ChangePage, ChangesError, CurrentUser>

    /**
     * Streams the changes after `since`, and then each new change within half a second, also those of other processes. The
     * stream has back-pressure: it reads a page only when the consumer has taken the one before.
     *
     * Fails like `page`, with `UserDisabled` when an operator disables the user, and with `Unavailable` after the database
     * has been unreachable for about ten seconds. To resume, pass the cursor of the last change as `since`.
     *
     * @example
     * yield* changes.stream({}).pipe(Stream.runForEach(({ change, cursor }) => save(change, cursor)))
     */
    readonly stream: (
      query: Pick<ChangeQuery, "since">
    ) => Stream.Stream<LiveChange, ChangesError | UserDisabled, CurrentUser>
  }
>()("@todo/core/Changes") {
  /** Uses the host's `SqlClient`, as `Todos.layer` does. One query every 250 ms serves all streams of the process. */
  static readonly layer: Layer.Layer<Changes, never, SqlClient.SqlClient> = Layer.effect(
    Changes,
    Effect.gen(function* () {
      const { read } = yield* UserScope.make
      const batched = yield* BatchedScope.make
      const revisions = yield* RevisionWatch
      const schema = yield* quotedSchema
      const selectPage = read(ChangesSql.page(schema))
      const selectIsCurrent = batched.read(ChangesSql.isCurrent(schema), 1)
      const valid = validate(ChangeQuery)

      const openCursor = (
        user: UserId,
        cursor: string | undefined
      ): Effect.Effect<CursorValues | undefined, InvalidCursor> =>
        cursor === undefined
          ? Effect.succeed(undefined)
          : Effect.filterOrFail(Cursor.open(user, binding, cursor), isCursorValues, () => new InvalidCursor())

      const pageAfter = Effect.fnUntraced(function* (values: CursorValues | undefined, limit: number) {
        // A reader who has seen nothing cannot have missed a purge, so its first horizon is the current one.
        const [since, firstHorizon] = values === undefined || values[0] === 0 ? [0, undefined] : values
        const rows = yield* selectPage(since, limit + 1)
        const user = rows[0]?.[0] === "user" ? rows[0] : undefined
        const [revision, horizon]: readonly [number, number] = user === undefined ? [0, 0] : JSON.parse(user[2])
        // A cursor beyond the user's revision was made before the database was restored to an earlier state. After more
        // writes it cannot be recognised any more: see docs/backup-and-users.md.
        if (since > revision || (since < horizon && firstHorizon !== undefined && firstHorizon < horizon)) {
          return yield* new CursorExpired()
        }
        const changed = rows.slice(user === undefined ? 0 : 1)
        const changes = changed.slice(0, limit).map(([kind, , item]) => toChange(kind, item))
        const hasMore = changed.length > limit
        // The last page ends at the user's revision, even if the rows of the latest revisions were purged.
        const seen = hasMore ? (changes.at(-1)?.revision ?? since) : revision
        return { changes, hasMore, firstHorizon: firstHorizon ?? horizon, seen }
      })

      return Changes.of({
        page: Effect.fnUntraced(function* (query) {
          const { limit = changesLimit.default, since } = yield* valid(query)
          const user = yield* CurrentUser
          const values = yield* openCursor(user.id, since)
          // Most polls find nothing new. This batched lookup by primary key answers them without reading a page.
          if (since !== undefined && values !== undefined && (yield* selectIsCurrent(values[0])).length > 0) {
            return { changes: [], nextCursor: since, hasMore: false }
          }
          const page = yield* pageAfter(values, limit)
          return {
            changes: page.changes,
            nextCursor: Cursor.make(user.id, binding, [page.seen, page.firstHorizon]),
            hasMore: page.hasMore
          }
        }),

        stream: ({ since }) =>
          Stream.unwrap(
            Effect.gen(function* () {
              const user = yield* CurrentUser
              const start = yield* openCursor(user.id, since)
              const watch = yield* revisions.watch(user.id)
              const next = Effect.fnUntraced(function* (values: CursorValues | undefined) {
                const page = yield* pageAfter(values, changesLimit.default)
                if (!page.hasMore && page.changes.length === 0) yield* watch.waitForChange(page.seen)
                const changes = page.changes.map((change): LiveChange => ({
                  change,
                  cursor: Cursor.make(user.id, binding, [change.revision, page.firstHorizon])
                }))
                return [changes, Option.some<CursorValues>([page.seen, page.firstHorizon])] as const
              })
              return Stream.paginate(start, next)
            })
          )
      })
    })
  ).pipe(Layer.provide(RevisionWatch.layer))
}

/**
 * The content of a cursor: the last revision that the reader has seen, and the horizon at its first read. Rows that were
 * purged before that first read never reached the reader, so their purge does not expire the cursor.
 */
type CursorValues = readonly [seen: number, firstHorizon: number]

/** Validates the values of a cursor, because a client can compute its digest. */
const isCursorValues: (values: unknown) => values is CursorValues = Schema.is(Schema.Tuple([Revision, Revision]))

/** Cursors of the change feed are valid nowhere else. */
const binding = "changes"

const toChange = (kind: string, item: string): Change => {
  const row = JSON.parse(item)
  const { deletedAt, id, revision } = row
  const deleted = deletedAt !== null
  return kind === "todo"
    ? { kind: "todo", id, revision, deleted, todo: row }
    : { kind: "list", id, revision, deleted, list: row }
}
