/**
 * Users, lists, todos, and the functions that write them.
 *
 * Every key and index leads with the owner, and every statement names the owner
 * (`owner_id = me`), which is wall one. Row-level security, forced, is wall two:
 * it asks the setting `todo.user_id`, which `internal/UserScope.ts` alone sets.
 *
 * Writes are functions because an UPDATE's target is filtered by its policy before
 * a `set_config` in the same statement has run: one statement would find nothing.
 * As functions they are one round trip and atomic in themselves, in a transaction
 * of the host as well; the same steps sent one by one cost three times as much.
 */
export const todos = (schema: string): ReadonlyArray<string> => [
  `create table ${schema}.users (
  id text collate "C" primary key check (char_length(id) between 1 and 255),
  revision bigint not null default 0,
  horizon bigint not null default 0,
  created_at timestamptz(3) not null default now(),
  written_at timestamptz(3) not null default now(),
  disabled_at timestamptz(3)
) with (fillfactor = 50)`,

  `create table ${schema}.lists (
  owner_id text collate "C" not null references ${schema}.users (id),
  id uuid not null,
  name text not null check (char_length(name) between 1 and 200),
  position text collate "C" not null,
  revision bigint not null,
  created_at timestamptz(3) not null,
  updated_at timestamptz(3) not null,
  deleted_at timestamptz(3),
  primary key (owner_id, id)
)`,
  `create unique index lists_by_revision on ${schema}.lists (owner_id, revision)`,
  `create unique index lists_by_position on ${schema}.lists (owner_id, position)`,

  `create table ${schema}.todos (
  owner_id text collate "C" not null references ${schema}.users (id),
  id uuid not null,
  title text not null check (char_length(title) between 1 and 500),
  description text check (char_length(description) <= 10000),
  priority smallint not null check (priority between 0 and 3),
  due_date date,
  due_time timestamp(0),
  due_zone text,
  due_at timestamptz(3),
  tags text[] not null check (cardinality(tags) <= 20),
  list_id uuid,
  position text collate "C" not null,
  revision bigint not null,
  created_at timestamptz(3) not null,
  updated_at timestamptz(3) not null,
  completed_at timestamptz(3),
  deleted_at timestamptz(3),
  primary key (owner_id, id),
  foreign key (owner_id, list_id) references ${schema}.lists (owner_id, id),
  check (due_date is null or due_time is null),
  check (num_nulls(due_time, due_zone, due_at) in (0, 3))
)`,
  `create unique index todos_by_revision on ${schema}.todos (owner_id, revision)`,
  `create unique index todos_by_position on ${schema}.todos (owner_id, position)`,
  `create index todos_by_creation on ${schema}.todos (owner_id, created_at, id)`,
  `create index todos_by_list on ${schema}.todos (owner_id, list_id, position) where list_id is not null`,

  ...["users", "lists", "todos"].flatMap((table) => {
    const owner = table === "users" ? "id" : "owner_id"
    const isOwn = `${owner} = nullif(current_setting('todo.user_id', true), '')`
    return [
      `alter table ${schema}.${table} enable row level security, force row level security`,
      `create policy own_rows on ${schema}.${table} for all using (${isOwn}) with check (${isOwn})`
    ]
  }),

  `create function ${schema}.instant(moment timestamptz) returns text language sql stable as $$
  select to_char(moment at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
$$`,

  `create function ${schema}.todo_json(t ${schema}.todos) returns json language sql stable as $$
  select json_build_object(
    'id', t.id,
    'title', t.title,
    'description', t.description,
    'completed', t.completed_at is not null,
    'completedAt', ${schema}.instant(t.completed_at),
    'priority', (array['none', 'low', 'medium', 'high'])[t.priority + 1],
    'due', case
      when t.due_date is not null then json_build_object('date', t.due_date)
      when t.due_time is not null then json_build_object('dateTime', t.due_time, 'timeZone', t.due_zone)
    end,
    'tags', t.tags,
    'listId', t.list_id,
    'position', t.position,
    'revision', t.revision,
    'createdAt', ${schema}.instant(t.created_at),
    'updatedAt', ${schema}.instant(t.updated_at),
    'deletedAt', ${schema}.instant(t.deleted_at)
  )
$$`,

  `create function ${schema}.list_json(l ${schema}.lists) returns json language sql stable as $$
  select json_build_object(
    'id', l.id,
    'name', l.name,
    'position', l.position,
    'revision', l.revision,
    'createdAt', ${schema}.instant(l.created_at),
    'updatedAt', ${schema}.instant(l.updated_at),
    'deletedAt', ${schema}.instant(l.deleted_at)
  )
$$`,

  ...positions(schema),
  ...writes(schema)
]

/**
 * Order keys. A key is an integer part, whose first letter tells its length so
 * that keys compare as text does ("a1" < "af" < "b10"), and a fraction of
 * hexadecimal digits that does not end in 0.
 *
 * The integer parts come from the user's revision, which only grows: a row that is
 * put last gets a key above all there are, a row that is put first one below all
 * ("Ze" > "Z0" > "Yef"), without looking at any other row. Only a move between two
 * neighbours makes a key longer, by a digit for every four moves into one gap.
 */
const positions = (schema: string): ReadonlyArray<string> => [
  `create function ${schema}.last_position(revision bigint) returns text language sql immutable as $$
  select chr(96 + length(to_hex(revision))) || to_hex(revision)
$$`,

  `create function ${schema}.first_position(revision bigint) returns text language sql immutable as $$
  select chr(91 - length(to_hex(revision))) || translate(to_hex(revision), '0123456789abcdef', 'fedcba9876543210')
$$`,

  // Takes low < high. Walks down the common digits; where they part by more than
  // one, the digit between ends the key, and it is never 0. Where they part by
  // one, any longer key under the lower digit will do: high no longer binds.
  `create function ${schema}.position_between(low text, high text) returns text language plpgsql immutable as $$
declare
  digits constant text := '0123456789abcdef';
  width constant int := 1 + case when low < 'a' then 91 - ascii(low) else ascii(low) - 96 end;
  bounded boolean := left(low, width) = left(high, width);
  made text := left(low, width);
  at int := width;
  floor int;
  ceiling int;
begin
  loop
    at := at + 1;
    floor := greatest(strpos(digits, substr(low, at, 1)) - 1, 0);
    ceiling := case when bounded then greatest(strpos(digits, substr(high, at, 1)) - 1, 0) else 16 end;
    if ceiling - floor > 1 then
      return made || substr(digits, (floor + ceiling) / 2 + 1, 1);
    end if;
    made := made || substr(digits, floor + 1, 1);
    bounded := bounded and floor = ceiling;
  end loop;
end
$$`
]

const writes = (schema: string): ReadonlyArray<string> => [
  // How a write ended: a failure (and the revision that stands against it), or the
  // row as it is now and how many revisions were used up, 0 where nothing changed.
  `create type ${schema}.outcome as (failure text, current bigint, steps int, created boolean, body json)`,

  `create function ${schema}.failed(failure text, current bigint default null) returns ${schema}.outcome
language sql immutable as $$ select row(failure, current, 0, false, null)::${schema}.outcome $$`,

  `create function ${schema}.expects(op jsonb, current bigint) returns boolean language sql immutable as $$
  select not op ? 'ifRevision' or op->'ifRevision' = '"*"' or op->'ifRevision' @> to_jsonb(current)
$$`,

  `create function ${schema}.write_todo(me text, op jsonb, step bigint, moment timestamptz) returns ${schema}.outcome
language plpgsql as $$
declare
  fields constant jsonb := op->'fields';
  was ${schema}.todos;
  next ${schema}.todos;
begin
  select * into was from ${schema}.todos where owner_id = me and id = (op->>'id')::uuid;

  if was.id is null then
    if op->>'op' <> 'put' then return ${schema}.failed('todo-not-found'); end if;
    if op ? 'ifRevision' then return ${schema}.failed('revision-mismatch'); end if;
  elsif was.deleted_at is not null and op->>'op' <> 'restore' then
    return ${schema}.failed(case op->>'op' when 'put' then 'in-trash' else 'todo-not-found' end);
  elsif not ${schema}.expects(op, was.revision) or coalesce((op->>'ifAbsent')::boolean, false) then
    return ${schema}.failed('revision-mismatch', was.revision);
  end if;

  next := jsonb_populate_record(was, fields);
  if fields ? 'completed' then
    next.completed_at := case when (fields->>'completed')::boolean then coalesce(was.completed_at, moment) end;
  end if;
  if next.list_id is distinct from was.list_id and next.list_id is not null and not exists (
    select from ${schema}.lists where owner_id = me and id = next.list_id and deleted_at is null
  ) then
    return ${schema}.failed('list-not-found');
  end if;

  if was.id is null then
    next.owner_id := me;
    next.id := (op->>'id')::uuid;
    next.position := ${schema}.last_position(step);
    next.revision := step;
    next.created_at := moment;
    next.updated_at := moment;
    insert into ${schema}.todos select next.*;
    return row(null, null, 1, true, ${schema}.todo_json(next))::${schema}.outcome;
  end if;

  if op->>'op' = 'delete' then
    next.deleted_at := moment;
  elsif op->>'op' = 'restore' then
    next.deleted_at := null;
    if not exists (select from ${schema}.lists where owner_id = me and id = was.list_id and deleted_at is null) then
      next.list_id := null;
    end if;
  end if;
  if next is not distinct from was then
    return row(null, null, 0, false, ${schema}.todo_json(was))::${schema}.outcome;
  end if;

  next.revision := step;
  next.updated_at := moment;
  update ${schema}.todos set
    title = next.title, description = next.description, priority = next.priority, due_date = next.due_date,
    due_time = next.due_time, due_zone = next.due_zone, due_at = next.due_at, tags = next.tags,
    list_id = next.list_id, revision = next.revision, updated_at = next.updated_at,
    completed_at = next.completed_at, deleted_at = next.deleted_at
  where owner_id = me and id = next.id;
  return row(null, null, 1, false, ${schema}.todo_json(next))::${schema}.outcome;
end
$$`,

  // The door of every write. The lock on the user's row comes first: writers of one
  // user queue here, so nothing below can deadlock, and a reader that has seen
  // revision r has seen every change up to r.
  `create function ${schema}.write(me text, op jsonb) returns json language plpgsql as $$
declare
  account ${schema}.users;
  done ${schema}.outcome;
  moment timestamptz(3);
begin
  select * into account from ${schema}.users where id = me for no key update;
  if not found then
    if op->>'op' <> 'put' then return json_build_object('failure', op->>'kind' || '-not-found'); end if;
    if op->'fields'->>'list_id' is not null then return json_build_object('failure', 'list-not-found'); end if;
    insert into ${schema}.users (id) values (me) on conflict (id) do nothing;
    select * into strict account from ${schema}.users where id = me for no key update;
  end if;
  if account.disabled_at is not null then return json_build_object('failure', 'user-disabled'); end if;

  -- Never before the last write, also where the clock was set back.
  moment := greatest(clock_timestamp(), account.written_at);
  done := ${schema}.write_todo(me, op, account.revision + 1, moment);
  if done.failure is not null then
    return json_build_object('failure', done.failure, 'current', done.current);
  end if;
  if done.steps > 0 then
    update ${schema}.users set revision = revision + done.steps, written_at = moment where id = me;
  end if;
  return json_build_object('created', done.created, 'row', done.body);
end
$$`
]
