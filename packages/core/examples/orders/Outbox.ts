import { CurrentUser, Hooks, WriteRefused } from "@todo/core"
import { Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"

/**
 * The hooks of the shop. A todo cannot be deleted, and each change inserts a row into the outbox in the transaction of the
 * change.
 */
export const layer = Layer.effect(
  Hooks,
  Effect.map(SqlClient.SqlClient, (sql) => ({
    before: (requests) =>
      requests.some((request) => request.kind === "todo" && request.op === "delete")
        ? Effect.fail(new WriteRefused({ code: "not-yours", message: "A todo of an order cannot be deleted" }))
        : Effect.void,
    after: (done) =>
      Effect.gen(function* () {
        const { id } = yield* CurrentUser
        for (const write of done) {
          if (write.kind === "list") continue
          const row = { userId: id, todoId: write.todo.id, revision: write.todo.revision, what: write.op }
          // A write that changed nothing has the revision of the last change, which is in the outbox already.
          yield* sql`insert into outbox ${sql.insert(row)} on conflict do nothing`
        }
      })
  }))
)
