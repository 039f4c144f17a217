/** Frozen: never edit this text. A test compares its checksum; whatever comes next is a migration with the next number. */

/**
 * Prepares for functions with other names or types of parameters and results, and makes the check of a todo over its
 * columns instead of its row: a shard of a distributed table has a row type of its own. Each change is a statement of its
 * own for the same reason.
 */
export const checkColumns = (s: string): ReadonlyArray<string> => [
  /* sql */ `create function ${s}.is_todo(
  title text, description text, priority smallint, tags text[],
  due_date date, due_time timestamp, due_zone text, due_at timestamptz
) returns boolean language plpgsql immutable as $$
begin
  return char_length(title) between 1 and 500
    and (description is null or char_length(description) <= 10000)
    and priority between 0 and 3
    and cardinality(tags) <= 20
    and (due_date is null or due_time is null)
    and num_nulls(due_time, due_zone, due_at) in (0, 3);
end
$$`,
  /* sql */ `alter table ${s}.todos add constraint todos_check
  check (${s}.is_todo(title, description, priority, tags, due_date, due_time, due_zone, due_at))`,
  /* sql */ `alter table ${s}.todos drop constraint is_todo`,
  /* sql */ `drop function ${s}.is_todo(${s}.todos)`,
  /* sql */ `alter type ${s}.outcome rename attribute steps to revisions`,
  // The form of the words of search, which was a comment on their table. A router of statements cannot read comments.
  /* sql */ `create table ${s}.search_form (form int not null)`,
  /* sql */ `insert into ${s}.search_form
  select 3 where obj_description('${s}.todo_words'::regclass, 'pg_class') = 'form 3 of the words of search'`,
  ...[
    "done(int, json, boolean)",
    "index_words(text, uuid, text[], text[])",
    `list_json(${s}.lists)`,
    "write_list(text, jsonb, bigint, timestamptz)",
    "write_once(text, jsonb, text, text)",
    "write_todo(text, jsonb, bigint, timestamptz)"
  ].map(
    // A new schema does not have them. Without the condition, psql prints a notice for each.
    (signature) => /* sql */ `do $$ begin
  if to_regprocedure('${s}.${signature}') is not null then drop function ${s}.${signature}; end if;
end $$`
  )
]
