import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { SchemaMismatch, version } from "../schema/Migrations.ts"
import { SchemaName } from "../schema/SchemaName.ts"
import * as TableOwnerSql from "./TableOwnerSql.ts"

/** The role of the connection is not the owner of the tables. Row-level security would hide every user from it. */
export class NotTheOwner extends Schema.TaggedError<NotTheOwner>()("NotTheOwner", {
  role: Schema.String,
  owner: Schema.String
}) {
  override get message() {
    return `role "${this.role}" sees one user at a time; connect as the owner of the tables, "${this.owner}"`
  }
}

/** Fails unless the role can see every user. Without this check, a wrong role would report an empty database. */
export const required: Effect.Effect<void, NotTheOwner | SqlError, SqlClient.SqlClient> = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const schema = yield* SchemaName
  const [found] = yield* sql.unsafe<TableOwnerSql.TableOwner>(TableOwnerSql.tableOwner, [schema])
  // A host that has not migrated: its error would name neither a role nor an owner.
  if (found === undefined) return yield* Effect.die(new SchemaMismatch({ schema, found: 0, expected: version }))
  const { owner, role, seesAll } = found
  if (!seesAll) return yield* new NotTheOwner({ role, owner })
})
