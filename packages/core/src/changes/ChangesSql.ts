/** The selects of the change feed. `UserScopeSql.ts` explains `$1` and `calls`. */
import type { SelectOf } from "../database/UserScopeSql.ts"
import type { UserId } from "../domain/User.ts"
import type { QuotedSchema } from "../schema/SchemaName.ts"
import { rowOf } from "../schema/rowOf.ts"

/** A row of a page: the user, or a todo or a list as JSON. */
export type ChangeRow = readonly [kind: "user" | "todo" | "list", revision: unknown, item: string]

/**
 * Changes after revision `$2`, in revision order, at most `$3`. The first row has kind `user` and
 * the JSON `[revision, horizon]`: the latest revision, and the revision below which purged rows are missing.
 *
 * One statement sees one snapshot, and writes of one user commit in the order of their revisions. So a reader who has
 * seen revision r has seen every change up to r. Each half reads at most `$3` rows from its index by revision.
 */
export const page = (schema: QuotedSchema): SelectOf<ChangeRow> => /* sql */ `select * from (
  select 'user' as kind, 0::bigint as revision, json_build_array(revision, horizon)::text as item
  from ${schema}.users where id = $1
  union all
  (select 'todo', revision, ${schema}.todo_json(${rowOf(schema, "todos")})::text from ${schema}.todos t
   where owner_id = $1 and revision > $2::bigint order by revision limit $3)
  union all
  (select 'list', revision, ${schema}.list_json(${rowOf(schema, "lists", "l")})::text from ${schema}.lists l
   where owner_id = $1 and revision > $2::bigint order by revision limit $3)
) changes order by revision limit $3 + 1`

/** One row if the user's revision is still `$2`. */
export const isCurrent = (schema: QuotedSchema): SelectOf<readonly [id: UserId]> =>
  /* sql */ `select id from ${schema}.users where id = $1 and revision = $2::bigint`

/** A user with a new revision. */
export type ChangedUser = readonly [id: UserId, revision: string, isDisabled: boolean]

/**
 * Runs once for each watched user. Returns a row if the user's revision differs from the known one
 * (`calls.seen`), or if the user is disabled. An erased user has revision 0, like one without writes.
 */
export const changedUser = (
  schema: QuotedSchema
): SelectOf<ChangedUser> => /* sql */ `select watched.id, coalesce(u.revision, 0)::text as revision, u.disabled_at is not null as "isDisabled"
from (select $1 as id) watched left join ${schema}.users u on u.id = watched.id
where coalesce(u.revision, 0) <> calls.seen or u.disabled_at is not null`
