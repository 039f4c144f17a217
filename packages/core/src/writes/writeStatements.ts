/**
 * Optimisation: short writes of todos share a statement and a commit with writes of other users (`BatchedScope.ts`).
 *
 * Gains: create is 1.6 times as fast with 16 connections. Measure with `npm run bench -- create todo`. To do without it, set
 * `optimisations.requestBatching` to `false`: each write is then a statement of its own.
 */
import type { BatchedScope } from "../database/BatchedScope.ts"
import type { UserScope } from "../database/UserScope.ts"
import type { WriteRequest } from "./WriteRequest.ts"
import * as WritesSql from "./WritesSql.ts"
import type { QuotedSchema } from "../schema/SchemaName.ts"

/** Whether a write is short enough to share a statement with other calls, which wait for it. */
const isShort = ({ kind, op }: Pick<WriteRequest, "kind" | "op">, json: string): boolean =>
  kind === "todo" && op !== "move" && json.length <= 4_096

/** Chooses the statement that runs one request. It looks at the request and at the length of its JSON. */
export const writeStatements = (scope: UserScope, batched: BatchedScope, schema: QuotedSchema) => {
  const write = scope.write(WritesSql.write(schema))
  const writeBatched = batched.write(WritesSql.write(schema), WritesSql.writeUnlessLocked(schema), 1)
  const writeOnce = scope.write(WritesSql.writeOnce(schema))
  const writeOnceBatched = batched.write(WritesSql.writeOnce(schema), WritesSql.writeOnceUnlessLocked(schema), 3)
  return {
    one: (request: Pick<WriteRequest, "kind" | "op">, json: string) => (isShort(request, json) ? writeBatched : write),
    /** With an idempotency key. */
    once: (request: Pick<WriteRequest, "kind" | "op">, json: string) =>
      isShort(request, json) ? writeOnceBatched : writeOnce
  }
}
