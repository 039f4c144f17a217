/** The statements of exports, on behalf of one user within a transaction: `$1` is the user. */

/** The user's own row, and how much there is. */
export const account = (s: string) => `select
  json_build_object(
    'id', id,
    'revision', revision,
    'horizon', horizon,
    'createdAt', ${s}.instant(created_at),
    'writtenAt', ${s}.instant(written_at),
    'disabledAt', ${s}.instant(disabled_at)
  )::text,
  (select count(*)::int from ${s}.lists where owner_id = $1),
  (select count(*)::int from ${s}.todos where owner_id = $1)
from ${s}.users where id = $1`

/** Rows by id, along the primary key: the first page, or the one after an id. */
export const page = (s: string, kind: "list" | "todo", isFirst: boolean) =>
  `select id, ${s}.${kind}_json(t)::text from ${s}.${kind}s t
where owner_id = $1${isFirst ? "" : " and id > $3"} order by id limit $2`
