/** Reads the change feed like a client, and the tables, which must have the same rows. */
import { type Change, type ChangePage, Changes, CurrentUser } from "@todo/core"
import { Effect } from "effect"
import { asSuperuser } from "./connections.ts"
import { query } from "./suite.ts"

/** Every page after a cursor, until the last one. Each page has its own limit. */
export const pages = Effect.fnUntraced(function* (since?: string, limit: () => number = () => 100) {
  const changes = yield* Changes
  const all: Array<ChangePage> = []
  for (let cursor = since; ;) {
    const page = yield* changes.page({ limit: limit(), ...(cursor !== undefined && { since: cursor }) })
    all.push(page)
    cursor = page.nextCursor
    if (!page.hasMore) return all
  }
})

/** The changes of all pages, and the last cursor. */
export const walkChanges = Effect.fnUntraced(function* (since?: string, limit?: () => number) {
  const all = yield* pages(since, limit)
  return { changes: all.flatMap((page) => page.changes), cursor: all.at(-1)?.nextCursor ?? "" }
})

/** The last change of each row. */
export class Fold {
  readonly #rows = new Map<string, Change>()
  add(changes: Iterable<Change>): this {
    for (const change of changes) this.#rows.set(`${change.kind} ${change.id}`, change)
    return this
  }
  clear(): void {
    this.#rows.clear()
  }
  /** In the form of `stored`. */
  get rows(): ReadonlyArray<unknown> {
    return [...this.#rows.values()].toSorted((a, b) => a.revision - b.revision).map(itemOf)
  }
}

export const itemOf = (change: Change) => (change.kind === "todo" ? change.todo : change.list)

/** Every row of the user in the order of revisions, with the trash, read from the tables as the superuser. */
export const stored = Effect.gen(function* () {
  const { id } = yield* CurrentUser
  const rows = yield* query<{ row: unknown }>(
    `select row from (
       select revision, todo.todo_json(t) as row from todo.todos t where owner_id = $1
       union all select revision, todo.list_json(l) from todo.lists l where owner_id = $1
     ) rows order by revision`,
    [id]
  )
  return rows.map(({ row }) => row)
})

/** The search words of a user that no todo has. */
export const orphanWords = (user: string) =>
  query(
    `select word from todo.todo_words w where owner_id = $1
     and not exists (select from todo.todos t where t.owner_id = w.owner_id and t.id = w.todo_id)`,
    [user]
  )

/** Purges all todos in the trash with their words, and raises the horizon. */
export const purge = Effect.gen(function* () {
  const { id } = yield* CurrentUser
  yield* query(
    `with gone as (
       delete from todo.todos where owner_id = $1 and deleted_at is not null
         and (select true from todo.users where id = $1 for update)
       returning id, revision
     ), words as (
       delete from todo.todo_words where owner_id = $1 and todo_id in (select id from gone)
     )
     update todo.users set horizon = greatest(horizon, (select max(revision) from gone)) where id = $1`,
    [id]
  )
})

export const purgeAsSuperuser = asSuperuser(purge)
