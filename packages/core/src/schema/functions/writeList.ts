import { listColumns } from "../../lists/ListColumns.ts"
import { storedColumns } from "../../writes/FieldColumns.ts"
import { guard } from "./outcome.ts"
import { move } from "./move.ts"

/** The columns that a write may change. */
const changed = [...storedColumns(listColumns), "position", "revision", "updated_at", "deleted_at"]

/** One operation on one list, under the lock on its user. */
export const writeList = (s: string): ReadonlyArray<string> => [
  /* sql */ `create or replace function ${s}.write_list(me text, op jsonb, step bigint, moment timestamptz) returns ${s}.outcome
language plpgsql as $$
declare
  was ${s}.lists;
  next ${s}.lists;
  anchor text;
  low text;
  high text;
  steps int := 0;
begin
  select * into was from ${s}.lists where owner_id = me and id = (op->>'id')::uuid;${guard(s, "list-not-found")}

  next := jsonb_populate_record(was, op->'fields');

  if was.id is null then
    next.owner_id := me;
    next.id := (op->>'id')::uuid;
    next.position := ${s}.last_position(step);
    next.revision := step;
    next.created_at := moment;
    next.updated_at := moment;
    insert into ${s}.lists select next.*;
    return ${s}.done(1, ${s}.list_json(next), true);
  end if;

  case op->>'op'
  when 'delete' then
    if not op ? 'todos' and exists (
      select from ${s}.todos where owner_id = me and list_id = was.id and deleted_at is null
    ) then
      return ${s}.failed('list-not-empty');
    end if;
    -- Each todo is a change with a revision of its own, after the list's.
    update ${s}.todos set
      list_id = case op->>'todos' when 'trash' then list_id end,
      deleted_at = case op->>'todos' when 'trash' then moment end,
      revision = step + place,
      updated_at = moment
    from (
      select id as held, row_number() over (order by position) as place
      from ${s}.todos where owner_id = me and list_id = was.id and deleted_at is null
    ) places
    where owner_id = me and id = held;
    get diagnostics steps = row_count;
    next.deleted_at := moment;
  when 'restore' then
    next.deleted_at := null;
  when 'move' then${move(s, "lists", "list-not-found")}
  else
  end case;
  if next is not distinct from was then
    return ${s}.done(0, ${s}.list_json(was));
  end if;

  next.revision := step;
  next.updated_at := moment;
  update ${s}.lists set
    ${changed.map((column) => `${column} = next.${column}`).join(", ")}
  where owner_id = me and id = next.id;
  return ${s}.done(steps + 1, ${s}.list_json(next));
end
$$`
]
