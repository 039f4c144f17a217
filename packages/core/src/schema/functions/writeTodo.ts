import { todoColumns } from "../../todos/TodoColumns.ts"
import { derivedColumns, storedColumns } from "../../writes/FieldColumns.ts"
import { storedWords } from "../../todos/SearchWords.ts"
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

/** One operation on one todo, under the lock on its user. `step` is the revision that the first change gets. */
export const writeTodo = (s: string): ReadonlyArray<string> => [
  // Updates the search words of a todo whose texts or tags changed. `except` compares sets; `<> all` would compare every
  // word with every other. Each word is deleted by the whole primary key, whatever statistics say: with one statement for
  // all, a user of whom PostgreSQL knows nothing had all words read (a patch of a title took 4 ms with 9,000 words, now
  // 0.3 ms). The setting is for a plan that was made while the table was empty, which a connection keeps.
  /* sql */ `create or replace function ${s}.index_words(me text, todo uuid, was text[], next text[]) returns void
language plpgsql set enable_seqscan = off as $$
declare
  gone text;
begin
  for gone in select unnest(was) except select unnest(next) loop
    delete from ${s}.todo_words where owner_id = me and word = gone and todo_id = todo;
  end loop;
  insert into ${s}.todo_words (owner_id, word, todo_id)
  select me, word, todo from (select unnest(next) as word except select unnest(was)) fresh;
end
$$`,

  /* sql */ `create or replace function ${s}.write_todo(me text, op jsonb, step bigint, moment timestamptz) returns ${s}.outcome
language plpgsql as $$
declare
  fields constant jsonb := op->'fields';
  was ${s}.todos;
  next ${s}.todos;
  anchor text;
  low text;
  high text;
  steps int;
begin
  select * into was from ${s}.todos where owner_id = me and id = (op->>'id')::uuid;${guard(s, "todo-not-found")}

  next := jsonb_populate_record(was, fields);
  if fields ? 'completed' then
    next.completed_at := case when (fields->>'completed')::boolean then coalesce(was.completed_at, moment) end;
  end if;
  if next.list_id is distinct from was.list_id and next.list_id is not null and not exists (
    select from ${s}.lists where owner_id = me and id = next.list_id and deleted_at is null
  ) then
    return ${s}.failed('list-not-found');
  end if;

  if was.id is null then
    next.owner_id := me;
    next.id := (op->>'id')::uuid;
    next.position := ${s}.last_position(step);
    next.revision := step;
    next.created_at := moment;
    next.updated_at := moment;
    insert into ${s}.todos select next.*;
    insert into ${s}.todo_words (owner_id, word, todo_id)
    select me, word, next.id from unnest(${storedWords("next")}) word group by word;
    return ${s}.done(1, ${s}.todo_json(next), true);
  end if;

  case op->>'op'
  when 'delete' then
    next.deleted_at := moment;
  when 'restore' then
    next.deleted_at := null;
    if not exists (select from ${s}.lists where owner_id = me and id = was.list_id and deleted_at is null) then
      next.list_id := null;
    end if;
  when 'move' then${move(s, "todos", "todo-not-found")}
  else
  end case;
  if next is not distinct from was then
    return ${s}.done(0, ${s}.todo_json(was));
  end if;

  next.revision := step;
  next.updated_at := moment;
  update ${s}.todos set
    ${changed.map((column) => `${column} = next.${column}`).join(",\n    ")}
  where owner_id = me and id = next.id;
  if next.title <> was.title or next.description is distinct from was.description or next.tags <> was.tags then
    perform ${s}.index_words(me, next.id, ${storedWords("was")}, ${storedWords("next")});
  end if;
  return ${s}.done(1, ${s}.todo_json(next));
end
$$`
]
