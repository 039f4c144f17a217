/** The statements of the change feed, as those on todos in `TodosSql`. */

/**
 * Changes after a revision, in revision order: kind, revision, JSON. The first row is the
 * user's: how far the feed goes (`revision`) and below what it is not whole (`horizon`).
 *
 * One statement sees one state of the database, and writers of one user commit in the
 * order of their revisions: whoever has seen revision r here has seen all up to r. Each
 * half reads as many rows as the page has from its index by revision.
 */
export const page = (schema: string) => `select * from (
  select 'user' as kind, 0::bigint as revision, json_build_array(revision, horizon)::text as item
  from ${schema}.users where id = me.id
  union all
  (select 'todo', revision, ${schema}.todo_json(t)::text from ${schema}.todos t
   where owner_id = me.id and revision > $2::bigint order by revision limit $3)
  union all
  (select 'list', revision, ${schema}.list_json(l)::text from ${schema}.lists l
   where owner_id = me.id and revision > $2::bigint order by revision limit $3)
) changes order by revision limit $3 + 1`

/** A row where nothing has happened since a revision. */
export const unmoved = (schema: string) => `select 1 from ${schema}.users where id = me.id and revision = $2::bigint`

/**
 * Of the users that are asked for, those whose revision is another one than is known
 * (`given.seen`), and those who are disabled. Who was erased is at 0, as before the first write.
 */
export const moved = (schema: string) =>
  `select asked.id, coalesce(u.revision, 0)::text, u.disabled_at is not null
from (select me.id) asked left join ${schema}.users u on u.id = asked.id
where coalesce(u.revision, 0) <> given.seen or u.disabled_at is not null`
