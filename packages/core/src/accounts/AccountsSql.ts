/** The revision and the counts of the user. A user who has never written has no row. Reads all todos of the user once. */
export const me = (schema: string) => `select u.revision::text, t.*, (
  select count(*)::int from ${schema}.lists where owner_id = me.id and deleted_at is null
)
from ${schema}.users u cross join lateral (
  select
    count(*) filter (where deleted_at is null and completed_at is null)::int,
    count(*) filter (where deleted_at is null and completed_at is not null)::int,
    count(*) filter (where deleted_at is not null)::int
  from ${schema}.todos where owner_id = me.id
) t (open, completed, trashed)
where u.id = me.id`

/** One row if the user is disabled. */
export const disabled = (schema: string) => `select 1 from ${schema}.users where id = me.id and disabled_at is not null`
