/**
 * What a write function returns: a failure with the revision that the row has, or the row as it is now with the number
 * of revisions that were used (0 if nothing changed).
 */
export const outcome = (s: string): ReadonlyArray<string> => [
  /* sql */ `create or replace function ${s}.failed(failure text, current bigint default null) returns ${s}.outcome
language sql immutable as $$ select row(failure, current, 0, false, null)::${s}.outcome $$`,

  /* sql */ `create or replace function ${s}.done(revisions int, body json, created boolean default false) returns ${s}.outcome
language sql immutable as $$ select row(null, null, revisions, created, body)::${s}.outcome $$`,

  // Whether an existing row is at a revision that the operation expects.
  /* sql */ `create or replace function ${s}.expected(op jsonb, current bigint) returns boolean language sql immutable as $$
  select not op @> '{"ifAbsent": true}'
    and (not op ? 'ifRevision' or op->'ifRevision' = '"*"' or op->'ifRevision' @> to_jsonb(current))
$$`,

  // The place of each id in an array, from 1 on, as an object: an UPDATE of many rows looks up each in it.
  /* sql */ `create or replace function ${s}.numbered(ids uuid[]) returns jsonb language sql immutable as $$
  select jsonb_object_agg(id, place) from unnest(ids) with ordinality numbered (id, place)
$$`
]

/**
 * The beginning of a write function, after it has read the row that `op` names into `was`. Only `put` creates a row, and
 * a row in the trash can only be restored.
 */
export const guard = (s: string, missing: string) => /* sql */ `
  if was.id is null then
    if op->>'op' <> 'put' then return ${s}.failed('${missing}'); end if;
    if op ? 'ifRevision' then return ${s}.failed('revision-mismatch'); end if;
  elsif was.deleted_at is not null and op->>'op' <> 'restore' then
    return ${s}.failed(case op->>'op' when 'put' then 'in-trash' else '${missing}' end);
  elsif not ${s}.expected(op, was.revision) then
    return ${s}.failed('revision-mismatch', was.revision);
  end if;`
