/**
 * Optimisation: plain pages of todos (no filter, position order, usual size) of several users share a statement.
 *
 * Gains: list 50 1.2 times as many a second with 16 connections, 1.1 with 100. Measure with `npm run bench -- "list 50"
 * todo`. Without it each page is a statement of its own: set `optimisations.batchedPages` to `false`.
 */
import type { BatchedScope } from "../database/BatchedScope.ts"
import type { UserScope } from "../database/UserScope.ts"
import { optimisations } from "../database/optimisations.ts"
import * as TodosSql from "./TodosSql.ts"

/**
 * At most four pages in a statement. A page takes PostgreSQL as long as its answer takes this process: with 16 in one
 * statement each side would wait until the other has finished all of them.
 */
const limits = { calls: 4 }

/** Reads pages. Those with conditions may take long, so they run alone. */
export const batchedPages = (scope: UserScope, batched: BatchedScope, schema: string): Pick<UserScope, "read"> => {
  if (!optimisations.batchedPages) return scope
  const plain = new Map(
    TodosSql.plainPages(schema).map(({ parameters, text }) => [text, batched.read(text, parameters.length, limits)])
  )
  return { read: (select) => plain.get(select) ?? scope.read(select) }
}
