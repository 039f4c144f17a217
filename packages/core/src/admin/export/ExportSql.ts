/** The statements of an export. They run in a transaction on behalf of one user, which is `$1`. */
import { rowOf } from "../../schema/rowOf.ts"
import type { QuotedSchema } from "../../schema/SchemaName.ts"

/** All statements of the transaction see one snapshot. */
export const begin = "begin isolation level repeatable read read only"

export interface Account {
  /** The row of the user as JSON. */
  readonly account: string
  readonly lists: number
  readonly todos: number
}

/** The row of the user, and the number of lists and of todos. */
export const account = (s: QuotedSchema) => /* sql */ `select
  json_build_object(
    'id', id,
    'revision', revision,
    'horizon', horizon,
    'createdAt', ${s}.instant(created_at),
    'writtenAt', ${s}.instant(written_at),
    'disabledAt', ${s}.instant(disabled_at)
  )::text as account,
  (select count(*)::int from ${s}.lists where owner_id = $1) as lists,
  (select count(*)::int from ${s}.todos where owner_id = $1) as todos
from ${s}.users where id = $1`

export interface Row {
  readonly id: string
  /** The todo or the list as JSON. */
  readonly item: string
}

/** One page of rows, ordered by id along the primary key. `$2` is the page size, `$3` the last id of the page before. */
export const page = (
  s: QuotedSchema,
  kind: "list" | "todo",
  isFirst: boolean
) => /* sql */ `select id::text, ${s}.${kind}_json(${rowOf(s, `${kind}s`)})::text as item from ${s}.${kind}s t
where owner_id = $1${isFirst ? "" : " and id > $3"} order by t.id limit $2`
