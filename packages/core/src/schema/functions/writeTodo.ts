/** The function `write_todo`: one create, replace, update, move, delete or restore of a todo. */
import { todoColumns } from "../../todos/TodoColumns.ts"
import { derivedColumns, storedColumns } from "../../writes/FieldColumns.ts"
import { guard } from "./outcome.ts"
import { move } from "./move.ts"

/** The columns that a write may change. */
const changed = [
  ...storedColumns(todoColumns),
  ...derivedColumns(todoColumns),
  "position",
  "revision",
  "updated_at",
  "deleted_at"
]

/** The columns of a new row behind its owner, which Citus has to see as `me`. */
const inserted = ["id", "created_at", ...changed]

/** One operation on one todo, under the lock on its user. `next_revision` is the revision that the first change gets. */
export const writeTodo = (s: string): ReadonlyArray<string> => [
  /* sql */ `create or replace function ${s}.write_todo(me text, op jsonb, next_revision bigint, moment timestamptz) returns ${s}.outcome
language plpgsql as $$
declare
  fields constant jsonb := op->'fields';
  was ${s}.todos;
  next ${s}.todos;
  ignored int; -- An assignment needs no executor, PERFORM does.
  anchor text;
  low text;
  high text;
  ids uuid[];
  places jsonb;
begin
  select * into was from ${s}.todos where owner_id = me and id = (op->>'id')::uuid;${guard(s, "todo-not-found")}

  next := jsonb_populate_record(was, fields);
  if fields ? 'completed' then
    next.completed_at := case when (fields->>'completed')::boolean then coalesce(was.completed_at, moment) end;
  end if;
  if next.list_id is distinct from was.list_id and next.list_id is not null then
    perform from ${s}.lists where owner_id = me and id = next.list_id and deleted_at is null;
    if not found then return ${s}.failed('list-not-found'); end if;
  end if;

  if was.id is null then
    next.id := (op->>'id')::uuid;
    next.position := ${s}.last_position(next_revision);
    next.revision := next_revision;
    next.created_at := moment;
    next.updated_at := moment;
    insert into ${s}.todos (owner_id, ${inserted.join(", ")})
    values (me, ${inserted.map((column) => `next.${column}`).join(", ")});
    ignored := ${s}.replace_words(me, next.id, '{}', ${s}.stored_words(next));
    return ${s}.done(1, ${s}.todo_json(next), true);
  end if;

  case op->>'op'
  when 'delete' then
    next.deleted_at := moment;
  when 'restore' then
    next.deleted_at := null;
    perform from ${s}.lists where owner_id = me and id = was.list_id and deleted_at is null;
    if not found then next.list_id := null; end if;
  when 'move' then${move(s, "todos", "todo-not-found")}
  else -- put and patch have set their fields already.
  end case;
  if next is not distinct from was then
    return ${s}.done(0, ${s}.todo_json(was));
  end if;

  next.revision := next_revision;
  next.updated_at := moment;
  update ${s}.todos set
    ${changed.map((column) => `${column} = next.${column}`).join(",\n    ")}
  where owner_id = me and id = next.id;
  if next.title <> was.title or next.description is distinct from was.description or next.tags <> was.tags then
    ignored := ${s}.replace_words(me, next.id, ${s}.stored_words(was), ${s}.stored_words(next));
  end if;
  return ${s}.done(1, ${s}.todo_json(next));
end
$$`
]
