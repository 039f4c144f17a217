import { listColumns } from "../../lists/ListColumns.ts"
import { todoColumns } from "../../todos/TodoColumns.ts"
import { jsonMembers } from "../../writes/FieldColumns.ts"

/**
 * Rows as clients see them, for writes, lists and the change feed. Pages of todos read columns instead
 * (`todos/TodoColumns.ts`), because that costs PostgreSQL less.
 */
export const json = (s: string): ReadonlyArray<string> => [
  /* sql */ `create or replace function ${s}.instant(moment timestamptz) returns text language sql stable as $$
  select to_char(moment at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
$$`,

  /* sql */ `create or replace function ${s}.todo_json(t ${s}.todos) returns json language sql stable as $$
  select json_build_object(
    'id', t.id,
    ${jsonMembers(s, todoColumns)}
    'position', t.position,
    'revision', t.revision,
    'createdAt', ${s}.instant(t.created_at),
    'updatedAt', ${s}.instant(t.updated_at),
    'deletedAt', ${s}.instant(t.deleted_at)
  )
$$`,

  /* sql */ `create or replace function ${s}.list_json(t ${s}.lists) returns json language sql stable as $$
  select json_build_object(
    'id', t.id,
    ${jsonMembers(s, listColumns)}
    'position', t.position,
    'revision', t.revision,
    'createdAt', ${s}.instant(t.created_at),
    'updatedAt', ${s}.instant(t.updated_at),
    'deletedAt', ${s}.instant(t.deleted_at)
  )
$$`
]
