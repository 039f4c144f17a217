/** The statements of statistics over all users. They run in `overAllUsers`. */
import { forEachUser } from "../../database/UserScopeSql.ts"
import type { QuotedSchema } from "../../schema/SchemaName.ts"

/** The numbers of users and of lists. */
export interface Users {
  readonly total: number
  readonly disabled: number
  readonly activeIn7Days: number
  readonly activeIn30Days: number
  /** Outside the trash. */
  readonly lists: number
  readonly trashedLists: number
}

export const users = (schema: QuotedSchema) => /* sql */ `select
  count(*)::int as total,
  count(u.disabled_at)::int as disabled,
  (count(*) filter (where u.written_at > now() - interval '7 days'))::int as "activeIn7Days",
  (count(*) filter (where u.written_at > now() - interval '30 days'))::int as "activeIn30Days",
  coalesce(sum(l.kept), 0)::int as lists,
  coalesce(sum(l.trashed), 0)::int as "trashedLists"
from ${schema}.users u ${forEachUser}
cross join lateral (
  select count(*) filter (where deleted_at is null) as kept, count(deleted_at) as trashed
  from ${schema}.lists where owner_id = me.id offset 0
) l`

export interface Todos {
  /** The members `todos`, `days` and `biggest` of `Stats`, as JSON. */
  readonly numbers: string
}

/**
 * Todos by state, by the day (UTC) of their last change for the last `$1` days including today, and of the `$2` users with
 * the most. It is one pass over the todos. Todos that are older than these days are grouped under one more day.
 */
export const todos = (schema: QuotedSchema) => /* sql */ `with held as (
  select u.id, t.*
  from ${schema}.users u ${forEachUser}
  cross join lateral (
    select
      greatest((updated_at at time zone 'UTC')::date, (now() at time zone 'UTC')::date - $1::int) as day,
      count(*) filter (where deleted_at is null and completed_at is null) as open,
      count(*) filter (where deleted_at is null and completed_at is not null) as completed,
      count(deleted_at) as trashed
    from ${schema}.todos where owner_id = me.id group by 1 offset 0
  ) t
)
select json_build_object(
  'todos', (
    select json_build_object(
      'open', coalesce(sum(open), 0), 'completed', coalesce(sum(completed), 0), 'trashed', coalesce(sum(trashed), 0)
    ) from held
  ),
  'days', (
    select json_agg(json_build_object('date', date, 'todos', coalesce(counted, 0)) order by date)
    from (select (now() at time zone 'UTC')::date - back as date from generate_series(0, $1::int - 1) back) dates
    left join (select day, sum(open + completed + trashed) as counted from held group by day) days on day = date
  ),
  'biggest', (
    select coalesce(json_agg(json_build_object('id', id, 'todos', counted) order by counted desc, id), '[]')
    from (
      select id, sum(open + completed + trashed) as counted from held group by id order by counted desc, id limit $2
    ) biggest
  )
)::text as numbers`

/** The bytes of a table and of its indexes on disk. */
export interface Table {
  readonly name: string
  readonly bytes: number
  readonly indexBytes: number
}

/** `$1` is the schema. */
export const tables = /* sql */ `select relname::text as name, pg_table_size(oid)::float8 as bytes,
  pg_indexes_size(oid)::float8 as "indexBytes"
from pg_class where relnamespace = to_regnamespace($1) and relkind = 'r'
order by pg_total_relation_size(oid) desc, relname`
