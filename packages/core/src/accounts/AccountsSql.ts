/** The statements on accounts. Each names the user as `$1`; `UserScopeSql.ts` explains why. */

import type { SelectOf } from "../database/UserScopeSql.ts"
import type { QuotedSchema } from "../schema/SchemaName.ts"

/** The revision and the counts of a user. */
export type AccountRow = readonly [revision: string, open: number, completed: number, trashed: number, lists: number]

/** A user who has never written has no row. Reads all todos of the user once. `user` is the expression that names the user. */
export const me = (
  schema: QuotedSchema,
  user = "$1"
): SelectOf<AccountRow> => /* sql */ `select u.revision::text as revision, t.*, (
  select count(*)::int from ${schema}.lists where owner_id = ${user} and deleted_at is null
) as lists
from ${schema}.users u cross join lateral (
  select
    count(*) filter (where deleted_at is null and completed_at is null)::int as open,
    count(*) filter (where deleted_at is null and completed_at is not null)::int as completed,
    count(*) filter (where deleted_at is not null)::int as trashed
  from ${schema}.todos where owner_id = ${user}
) t
where u.id = ${user}`

/** One row if the user is disabled. */
export const disabled = (schema: QuotedSchema): SelectOf<readonly [id: string]> =>
  /* sql */ `select u.id from ${schema}.users u where u.id = $1 and u.disabled_at is not null`
