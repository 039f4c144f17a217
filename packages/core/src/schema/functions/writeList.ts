/** The function `write_list`: one create, replace, rename, move, delete or restore of a list. */
import { listColumns } from "../../lists/ListColumns.ts"
import { storedColumns } from "../../writes/FieldColumns.ts"
import { guard } from "./outcome.ts"
import { move } from "./move.ts"

/** The columns that a write may change. */
const changed = [...storedColumns(listColumns), "position", "revision", "updated_at", "deleted_at"]

/** The columns of a new row behind its owner. */
const inserted = ["id", "created_at", ...changed]

/** One operation on one list, under the lock on its user. */
export const writeList = (s: string): ReadonlyArray<string> => [
  /* sql */ `create or replace function ${s}.write_list(me text, op jsonb, next_revision bigint, moment timestamptz) returns ${s}.outcome
language plpgsql as $$
declare
  was ${s}.lists;
  next ${s}.lists;
  anchor text;
  low text;
  high text;
  moved int := 0;
  ids uuid[];
  places jsonb;
begin
  select * into was from ${s}.lists where owner_id = me and id = (op->>'id')::uuid;${guard(s, "list-not-found")}

  next := jsonb_populate_record(was, op->'fields');

  if was.id is null then
    next.id := (op->>'id')::uuid;
    next.position := ${s}.last_position(next_revision);
    next.revision := next_revision;
    next.created_at := moment;
    next.updated_at := moment;
    insert into ${s}.lists (owner_id, ${inserted.join(", ")})
    values (me, ${inserted.map((column) => `next.${column}`).join(", ")});
    return ${s}.done(1, ${s}.list_json(next), true);
  end if;

  case op->>'op'
  when 'delete' then
    select array_agg(id order by position) into ids
    from ${s}.todos where owner_id = me and list_id = was.id and deleted_at is null;
    if ids is not null then
      if not op ? 'todos' then return ${s}.failed('list-not-empty'); end if;
      -- Each todo is a change with a revision of its own, after the list's.
      places := ${s}.numbered(ids);
      update ${s}.todos set
        list_id = case when op->>'todos' = 'trash' then list_id end,
        deleted_at = case when op->>'todos' = 'trash' then moment end,
        revision = next_revision + (places->>id::text)::bigint,
        updated_at = moment
      where owner_id = me and id = any(ids);
      moved := cardinality(ids);
    end if;
    next.deleted_at := moment;
  when 'restore' then
    next.deleted_at := null;
  when 'move' then${move(s, "lists", "list-not-found")}
  else -- put and patch have set their fields already.
  end case;
  if next is not distinct from was then
    return ${s}.done(0, ${s}.list_json(was));
  end if;

  next.revision := next_revision;
  next.updated_at := moment;
  update ${s}.lists set
    ${changed.map((column) => `${column} = next.${column}`).join(", ")}
  where owner_id = me and id = next.id;
  return ${s}.done(moved + 1, ${s}.list_json(next));
end
$$`
]
