/**
 * Optimisation: plain pages of several users (no filter, position order, default size) share a statement.
 *
 * Gains: "list 50" is 1.2 times as fast with 16 connections, 1.1 times with 100. Measure with
 * `npm run bench -- "list 50" todo`. To do without it, set `optimisations.batchedPages` to `false`: each page is then a
 * statement of its own.
 */
import type { BatchedScope } from "../database/BatchedScope.ts"
import type { PageScope } from "../database/KeysetPage.ts"
import { optimisations } from "../database/optimisations.ts"
import * as TodosSql from "./TodosSql.ts"
import type { QuotedSchema } from "../schema/SchemaName.ts"

/**
 * At most four pages share a statement. PostgreSQL needs as long for a page as this process needs for its response. With 16
 * pages in one statement, each of the two would be idle while the other works on all of them.
 */
const limits = { calls: 4 }

/** Reads pages. A page with conditions may be slow, so it runs alone. */
export const batchedPages = (scope: PageScope, batched: BatchedScope, schema: QuotedSchema): PageScope => {
  if (!optimisations.batchedPages) return scope
  const batchedSelects = new Map(
    TodosSql.plainPages(schema).map(({ parameters, text }) => [text, batched.read(text, parameters.length, limits)])
  )
  return { read: (select) => batchedSelects.get(select) ?? scope.read(select) }
}
