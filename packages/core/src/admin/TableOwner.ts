import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { SchemaName } from "../schema/SchemaName.ts"

/** The connection is not that of the owner of the tables, and so would see no users where there are some. */
export class NotTheOwner extends Schema.TaggedError<NotTheOwner>()("NotTheOwner", {
  role: Schema.String,
  owner: Schema.String
}) {
  override get message() {
    return `role "${this.role}" sees one user at a time: this needs the owner of the tables, "${this.owner}"`
  }
}

/** Fails unless what runs next sees every user: silence must not look like an empty database. */
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
