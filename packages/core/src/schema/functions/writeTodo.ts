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

/** The columns of a new row behind its owner, whom Citus wants to see as `me`. */
const inserted = ["id", "created_at", ...changed]

/** How many words one prepared statement takes. A title has few, so most writes need one or two of these statements. */
const sizes = [8, 4, 2, 1]

/** Runs `statement` on all of an array of at most 15 words: each size at most once. */
const inParts = (statement: (words: ReadonlyArray<string>) => string) =>
  sizes
    .map((size) => {
      const words = Array.from({ length: size }, (_, n) => `words[at + ${n}]`)
      return `
  if count & ${size} > 0 then
    ${statement(words)}
    at := at + ${size};
  end if;`
    })
    .join("")

/** One operation on one todo, under the lock on its user. `next_revision` is the revision that the first change gets. */
export const writeTodo = (s: string): ReadonlyArray<string> => [
  // Stores words of a todo and returns their number; the array has no duplicates. PostgreSQL keeps the plans of the short statements. A long text
  // is one statement, because on Citus each costs half a millisecond.
  /* sql */ `create or replace function ${s}.add_words(me text, todo uuid, words text[]) returns int language plpgsql as $$
declare
  count constant int := cardinality(words);
  at int := 1;
begin
  if count > 15 then
    execute 'insert into ${s}.todo_words (owner_id, word, todo_id) values '
      || (select string_agg('($1, ' || quote_literal(word) || ', $2)', ', ') from unnest(words) word) using me, todo;
    return count;
  end if;${inParts(
    (words) => `insert into ${s}.todo_words (owner_id, word, todo_id)
    values ${words.map((word) => `(me, ${word}, todo)`).join(", ")};`
  )}
  return count;
end
$$`,

  // Deletes words of a todo by the whole primary key, and returns their number. For an array, PostgreSQL would make a new plan in each call (50 µs).
  // The setting is for plans that were made while the table was empty, which a connection keeps: they would read all
  // words of the user.
  /* sql */ `create or replace function ${s}.remove_words(me text, todo uuid, words text[]) returns int
language plpgsql set enable_seqscan = off as $$
declare
  count constant int := cardinality(words);
  at int := 1;
begin
  if count > 15 then
    execute 'delete from ${s}.todo_words where owner_id = $1 and word = any($2) and todo_id = $3' using me, words, todo;
    return count;
  end if;${inParts(
    (words) => `delete from ${s}.todo_words
    where owner_id = me and word ${words.length === 1 ? `= ${words[0]}` : `in (${words.join(", ")})`} and todo_id = todo;`
  )}
  return count;
end
$$`,

  // Updates the search words of a todo whose texts or tags changed, and returns how many words changed. Few words are
  // compared one by one, which needs no executor (11 µs less for a title); of many, `except` compares the sets.
  /* sql */ `create or replace function ${s}.replace_words(me text, todo uuid, was text[], next text[]) returns int language plpgsql as $$
declare
  word text;
  removed text[] := '{}';
  added text[] := '{}';
begin
  if cardinality(was) + cardinality(next) > 60 then
    select array(select unnest(was) except select unnest(next)), array(select unnest(next) except select unnest(was))
    into removed, added;
  else
    foreach word in array was loop
      if word <> all(next) and word <> all(removed) then removed := removed || word; end if;
    end loop;
    foreach word in array next loop
      if word <> all(was) and word <> all(added) then added := added || word; end if;
    end loop;
  end if;
  return ${s}.remove_words(me, todo, removed) + ${s}.add_words(me, todo, added);
end
$$`,

  // All that is stored of a todo among the words: its words, and its tags behind a space, which no word has.
  /* sql */ `create or replace function ${s}.stored_words(t ${s}.todos) returns text[] language plpgsql stable as $$
begin
  if t.tags = '{}' then return t.title_words || t.description_words; end if;
  return ${storedWords("t")};
end
$$`,

  /* sql */ `create or replace function ${s}.write_todo(me text, op jsonb, next_revision bigint, moment timestamptz) returns ${s}.outcome
language plpgsql as $$
declare
  fields constant jsonb := op->'fields';
  was ${s}.todos;
  next ${s}.todos;
  words int;
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
    words := ${s}.replace_words(me, next.id, '{}', ${s}.stored_words(next));
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
  else
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
    words := ${s}.replace_words(me, next.id, ${s}.stored_words(was), ${s}.stored_words(next));
  end if;
  return ${s}.done(1, ${s}.todo_json(next));
end
$$`
]
