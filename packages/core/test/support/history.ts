/**
 * Random histories of one user. Writers run concurrently, some of them in transactions of the host that are slow or roll
 * back. A reader follows the change feed meanwhile.
 */
import { Changes, CursorExpired, type ListId, Lists, type TodoId, Todos } from "@todo/core"
import { TestDatabase } from "@todo/core/testing"
import { Context, Effect, Layer, Ref, Result } from "effect"
import { SqlClient } from "effect/sql"
import type { Random } from "../../../../.config/random.ts"
import { range } from "./clients.ts"
import { Fold, purge, stored, walkChanges } from "./feed.ts"
import { connect } from "./host.ts"

/** A client of the superuser that stays open. */
export class Superuser extends Context.Service<Superuser, SqlClient.SqlClient>()("@todo/core/test/Superuser") {
  static readonly layer = Layer.unwrap(
    Effect.map(TestDatabase, ({ adminUrl }) =>
      Layer.effect(Superuser, SqlClient.SqlClient).pipe(Layer.provide(connect({ url: adminUrl, poolSize: 4 })))
    )
  )
}

/** Runs statements on that client. */
const withSuperuser = <A, E, R>(self: Effect.Effect<A, E, R>) =>
  Effect.flatMap(Superuser, (sql) => Effect.provideService(self, SqlClient.SqlClient, sql))

const kinds = ["create", "create", "list", "update", "update", "delete", "restore", "move", "batch", "drop"] as const
type Kind = (typeof kinds)[number]

export interface Options {
  readonly kinds?: ReadonlyArray<Kind>
  /** Whether the trash is purged in some histories. */
  readonly purges?: boolean
}

/** A random write on one of the existing rows. A history may have refused writes. */
const makeWrite = Effect.fnUntraced(function* (random: Random, allowed: ReadonlyArray<Kind>) {
  const todos = yield* Todos
  const lists = yield* Lists
  const made: { readonly todos: Array<TodoId>; readonly lists: Array<ListId> } = { todos: [], lists: [] }
  let title = 0

  const create = Effect.gen(function* () {
    const listId = made.lists.length > 0 && random.chance(0.5) ? random.pick(made.lists) : null
    const { id } = yield* todos.create({ title: `${title++}`, listId })
    made.todos.push(id)
  })
  const createList = Effect.map(lists.create({ name: "list" }), ({ id }) => made.lists.push(id))

  return Effect.suspend((): Effect.Effect<unknown, unknown, Effect.Services<typeof create>> => {
    const kind = random.pick(allowed)
    if (kind === "list") return createList
    if (made.todos.length === 0 || kind === "create") return create
    const id = random.pick(made.todos)
    switch (kind) {
      case "update":
        return todos.update(id, random.chance(0.7) ? { title: `${title++}` } : { completed: random.chance(0.5) })
      case "delete":
        return todos.delete(id)
      case "restore":
        return todos.restore(id)
      case "move":
        return todos.move(id, { before: random.pick(made.todos) })
      case "batch":
        return todos.batch([
          { op: "update", id, patch: { title: `${title++}` } },
          { op: "delete", id: random.pick(made.todos) }
        ])
      case "drop":
        return made.lists.length === 0
          ? create
          : lists.delete(random.pick(made.lists), { todos: random.chance(0.5) ? "keep" : "trash" })
    }
  })
})

class Undone extends Error {}

/** Runs one history. Returns the rows that the reader knows, the rows of a new reader, and the rows in the tables. */
export const history = Effect.fnUntraced(function* (random: Random, options: Options = {}) {
  const sql = yield* SqlClient.SqlClient
  const changes = yield* Changes
  const write = Effect.ignore(yield* makeWrite(random, options.kinds ?? kinds))
  const purges = options.purges === true && random.chance(0.5)

  const late = Effect.suspend(() => Effect.sleep(random.int(4)))
  const inTransaction = Effect.suspend(() => {
    const ends = random.chance(0.75) ? Effect.void : Effect.fail(new Undone())
    const inside = Effect.forEach(range(1 + random.int(3)), () => Effect.andThen(write, late), { discard: true })
    return sql.withTransaction(Effect.andThen(inside, ends))
  })
  const step = Effect.suspend((): Effect.Effect<unknown, unknown, Effect.Services<typeof write> | Superuser> => {
    if (purges && random.chance(0.15)) return withSuperuser(purge)
    return random.chance(0.5)
      ? write
      : Effect.catch(inTransaction, (error) => (error instanceof Undone ? Effect.void : Effect.fail(error)))
  })

  const seen = new Fold()
  let place: string | undefined
  let last = 0
  const read = Effect.gen(function* () {
    const query = { limit: 1 + random.int(5), ...(place !== undefined && { since: place }) }
    const result = yield* Effect.result(changes.page(query))
    if (Result.isFailure(result)) {
      if (!(result.failure instanceof CursorExpired) || !purges) return yield* Effect.fail(result.failure)
      seen.clear()
      place = undefined
      last = 0
      return true
    }
    for (const { revision } of result.success.changes) {
      if (revision <= last) return yield* Effect.die(`revision ${revision} after ${last}`)
      last = revision
    }
    seen.add(result.success.changes)
    place = result.success.nextCursor
    return result.success.hasMore
  })

  const writing = yield* Ref.make(true)
  const writers = Effect.forEach(
    range(3),
    () => Effect.forEach(range(1 + random.int(4)), () => Effect.andThen(step, late), { discard: true }),
    { concurrency: 3, discard: true }
  ).pipe(Effect.ensuring(Ref.set(writing, false)))
  const reader = Effect.gen(function* () {
    while (yield* Ref.get(writing)) {
      yield* read
      yield* late
    }
    while (yield* read);
  })
  yield* Effect.all([writers, reader], { concurrency: 2, discard: true })

  const table = yield* withSuperuser(stored)
  const whole = new Fold().add((yield* walkChanges(undefined, () => 1 + random.int(5))).changes)
  // The feed does not report that a row in the trash was purged, so the reader may still have it.
  const known = new Set(table.map((row) => JSON.stringify(row)))
  const followed = seen.rows.filter((row) => !purges || !isTrashed(row) || known.has(JSON.stringify(row)))
  return { followed, walked: whole.rows, table }
})

const isTrashed = (row: unknown): boolean =>
  typeof row === "object" && row !== null && "deletedAt" in row && row.deletedAt !== null
