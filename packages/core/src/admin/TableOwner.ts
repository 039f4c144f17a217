import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { SchemaName } from "../schema/SchemaName.ts"

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
  const [row] = yield* sql`
    select current_user::text, pg_get_userbyid(relowner)::text,
      pg_has_role(relowner, 'usage') or exists (
        select from pg_roles where rolname = current_user and (rolsuper or rolbypassrls)
      )
    from pg_class where oid = to_regclass(${`"${yield* SchemaName}".users`})`.values
  const [role, owner, sees] = row ?? []
  if (sees !== true) return yield* new NotTheOwner({ role: String(role), owner: String(owner) })
})
