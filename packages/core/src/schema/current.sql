-- The whole schema as it is today, generated from a migrated database. Not run by anything: read it.

create type todo.outcome as (
  failure text,
  current bigint,
  revisions integer,
  created boolean,
  body json
);

create table todo.erasures (
  revision bigint not null
);
alter table todo.erasures enable row level security;
alter table todo.erasures force row level security;
create policy owner_only on todo.erasures for all to <the owner of the tables> using (true);

create table todo.idempotency_keys (
  owner_id text collate "C" not null,
  key text collate "C" not null,
  fingerprint text not null,
  answer json not null,
  created_at timestamp(3) with time zone not null,
  constraint idempotency_keys_pkey PRIMARY KEY (owner_id, key),
  constraint idempotency_keys_key_check CHECK (((char_length(key) >= 1) AND (char_length(key) <= 255)))
);
CREATE INDEX idempotency_keys_by_age ON todo.idempotency_keys USING btree (owner_id, created_at);
alter table todo.idempotency_keys enable row level security;
alter table todo.idempotency_keys force row level security;
create policy own_rows on todo.idempotency_keys for all using ((owner_id = NULLIF(current_setting('todo.user_id'::text, true), ''::text))) with check ((owner_id = NULLIF(current_setting('todo.user_id'::text, true), ''::text)));

create table todo.lists (
  owner_id text collate "C" not null,
  id uuid not null,
  name text not null,
  position text collate "C" not null,
  revision bigint not null,
  created_at timestamp(3) with time zone not null,
  updated_at timestamp(3) with time zone not null,
  deleted_at timestamp(3) with time zone,
  constraint lists_pkey PRIMARY KEY (owner_id, id),
  constraint lists_by_position UNIQUE (owner_id, "position") DEFERRABLE,
  constraint lists_name_check CHECK (((char_length(name) >= 1) AND (char_length(name) <= 200))),
  constraint lists_owner_id_fkey FOREIGN KEY (owner_id) REFERENCES todo.users(id)
);
CREATE INDEX lists_by_creation ON todo.lists USING btree (owner_id, created_at, id);
CREATE UNIQUE INDEX lists_by_revision ON todo.lists USING btree (owner_id, revision);
alter table todo.lists enable row level security;
alter table todo.lists force row level security;
create policy own_rows on todo.lists for all using ((owner_id = NULLIF(current_setting('todo.user_id'::text, true), ''::text))) with check ((owner_id = NULLIF(current_setting('todo.user_id'::text, true), ''::text)));

create table todo.migrations (
  id integer not null,
  name text not null,
  applied_at timestamp(3) with time zone not null default now(),
  constraint migrations_pkey PRIMARY KEY (id)
);

create table todo.search_form (
  form integer not null
);

create table todo.todo_words (
  owner_id text collate "C" not null,
  word text collate "C" not null,
  todo_id uuid not null,
  constraint todo_words_pkey PRIMARY KEY (owner_id, word, todo_id)
);
alter table todo.todo_words enable row level security;
alter table todo.todo_words force row level security;
create policy own_rows on todo.todo_words for all using ((owner_id = NULLIF(current_setting('todo.user_id'::text, true), ''::text))) with check ((owner_id = NULLIF(current_setting('todo.user_id'::text, true), ''::text)));

create table todo.todos (
  owner_id text collate "C" not null,
  id uuid not null,
  title text not null,
  title_key text collate "C" not null,
  title_words text[] not null,
  description text,
  description_words text[] not null,
  priority smallint not null,
  due_date date,
  due_time timestamp(0) without time zone,
  due_zone text,
  due_at timestamp(3) with time zone,
  tags text[] not null,
  list_id uuid,
  position text collate "C" not null,
  revision bigint not null,
  created_at timestamp(3) with time zone not null,
  updated_at timestamp(3) with time zone not null,
  completed_at timestamp(3) with time zone,
  deleted_at timestamp(3) with time zone,
  constraint todos_pkey PRIMARY KEY (owner_id, id),
  constraint todos_by_position UNIQUE (owner_id, "position") DEFERRABLE,
  constraint todos_check CHECK (todo.is_todo(title, description, priority, tags, due_date, due_time, due_zone, due_at)),
  constraint todos_owner_id_fkey FOREIGN KEY (owner_id) REFERENCES todo.users(id),
  constraint todos_owner_id_list_id_fkey FOREIGN KEY (owner_id, list_id) REFERENCES todo.lists(owner_id, id)
);
CREATE INDEX todos_by_creation ON todo.todos USING btree (owner_id, created_at, id);
CREATE INDEX todos_by_due_date ON todo.todos USING btree (owner_id, due_date, id) WHERE (due_date IS NOT NULL);
CREATE INDEX todos_by_due_time ON todo.todos USING btree (owner_id, due_at, id) WHERE (due_at IS NOT NULL);
CREATE INDEX todos_by_list ON todo.todos USING btree (owner_id, list_id, "position") WHERE (list_id IS NOT NULL);
CREATE INDEX todos_by_priority ON todo.todos USING btree (owner_id, priority, id);
CREATE UNIQUE INDEX todos_by_revision ON todo.todos USING btree (owner_id, revision);
CREATE INDEX todos_by_title ON todo.todos USING btree (owner_id, title_key, id);
CREATE INDEX todos_done ON todo.todos USING btree (owner_id, "position") WHERE (completed_at IS NOT NULL);
CREATE INDEX todos_in_trash ON todo.todos USING btree (owner_id, "position") WHERE (deleted_at IS NOT NULL);
alter table todo.todos enable row level security;
alter table todo.todos force row level security;
create policy own_rows on todo.todos for all using ((owner_id = NULLIF(current_setting('todo.user_id'::text, true), ''::text))) with check ((owner_id = NULLIF(current_setting('todo.user_id'::text, true), ''::text)));

create table todo.users (
  id text collate "C" not null,
  revision bigint not null default todo.first_revision(),
  horizon bigint not null default todo.first_revision(),
  created_at timestamp(3) with time zone not null default now(),
  written_at timestamp(3) with time zone not null default now(),
  disabled_at timestamp(3) with time zone,
  constraint users_pkey PRIMARY KEY (id),
  constraint users_id_check CHECK (((char_length(id) >= 1) AND (char_length(id) <= 255)))
) with (fillfactor=50);
alter table todo.users enable row level security;
alter table todo.users force row level security;
create policy operators_read on todo.users for select to <the owner of the tables> using ((current_setting('todo.operator'::text, true) = 'on'::text));
create policy own_rows on todo.users for all using ((id = NULLIF(current_setting('todo.user_id'::text, true), ''::text))) with check ((id = NULLIF(current_setting('todo.user_id'::text, true), ''::text)));

CREATE OR REPLACE FUNCTION todo.add_words(me text, todo uuid, words text[])
 RETURNS integer
 LANGUAGE plpgsql
AS $function$
declare
  count constant int := cardinality(words);
  at int := 1;
begin
  if count > 15 then
    execute 'insert into "todo".todo_words (owner_id, word, todo_id) values '
      || (select string_agg('($1, ' || quote_literal(word) || ', $2)', ', ') from unnest(words) word) using me, todo;
    return count;
  end if;
  if count & 8 > 0 then
    insert into "todo".todo_words (owner_id, word, todo_id)
    values (me, words[at + 0], todo), (me, words[at + 1], todo), (me, words[at + 2], todo), (me, words[at + 3], todo), (me, words[at + 4], todo), (me, words[at + 5], todo), (me, words[at + 6], todo), (me, words[at + 7], todo);
    at := at + 8;
  end if;
  if count & 4 > 0 then
    insert into "todo".todo_words (owner_id, word, todo_id)
    values (me, words[at + 0], todo), (me, words[at + 1], todo), (me, words[at + 2], todo), (me, words[at + 3], todo);
    at := at + 4;
  end if;
  if count & 2 > 0 then
    insert into "todo".todo_words (owner_id, word, todo_id)
    values (me, words[at + 0], todo), (me, words[at + 1], todo);
    at := at + 2;
  end if;
  if count & 1 > 0 then
    insert into "todo".todo_words (owner_id, word, todo_id)
    values (me, words[at + 0], todo);
    at := at + 1;
  end if;
  return count;
end
$function$
;

CREATE OR REPLACE FUNCTION todo.done(revisions integer, body json, created boolean DEFAULT false)
 RETURNS todo.outcome
 LANGUAGE sql
 IMMUTABLE
AS $function$ select row(null, null, revisions, created, body)::"todo".outcome $function$
;

CREATE OR REPLACE FUNCTION todo.expected(op jsonb, current bigint)
 RETURNS boolean
 LANGUAGE sql
 IMMUTABLE
AS $function$
  select not op @> '{"ifAbsent": true}'
    and (not op ? 'ifRevision' or op->'ifRevision' = '"*"' or op->'ifRevision' @> to_jsonb(current))
$function$
;

CREATE OR REPLACE FUNCTION todo.failed(failure text, current bigint DEFAULT NULL::bigint)
 RETURNS todo.outcome
 LANGUAGE sql
 IMMUTABLE
AS $function$ select row(failure, current, 0, false, null)::"todo".outcome $function$
;

CREATE OR REPLACE FUNCTION todo.first_position(revision bigint)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE
AS $function$
  select chr(91 - length(to_hex(revision))) || translate(to_hex(revision), '0123456789abcdef', 'fedcba9876543210')
$function$
;

CREATE OR REPLACE FUNCTION todo.first_revision()
 RETURNS bigint
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$ select revision from "todo".erasures $function$
;

CREATE OR REPLACE FUNCTION todo.instant(moment timestamp with time zone)
 RETURNS text
 LANGUAGE sql
 STABLE
AS $function$
  select to_char(moment at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
$function$
;

CREATE OR REPLACE FUNCTION todo.is_todo(title text, description text, priority smallint, tags text[], due_date date, due_time timestamp without time zone, due_zone text, due_at timestamp with time zone)
 RETURNS boolean
 LANGUAGE plpgsql
 IMMUTABLE
AS $function$
begin
  return char_length(title) between 1 and 500
    and (description is null or char_length(description) <= 10000)
    and priority between 0 and 3
    and cardinality(tags) <= 20
    and (due_date is null or due_time is null)
    and num_nulls(due_time, due_zone, due_at) in (0, 3);
end
$function$
;

CREATE OR REPLACE FUNCTION todo.last_position(revision bigint)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE
AS $function$
  select chr(96 + length(to_hex(revision))) || to_hex(revision)
$function$
;

CREATE OR REPLACE FUNCTION todo.list_json(t todo.lists)
 RETURNS json
 LANGUAGE sql
 STABLE
AS $function$
  select json_build_object(
    'id', t.id,
    'name', t.name,
    'position', t.position,
    'revision', t.revision,
    'createdAt', "todo".instant(t.created_at),
    'updatedAt', "todo".instant(t.updated_at),
    'deletedAt', "todo".instant(t.deleted_at)
  )
$function$
;

CREATE OR REPLACE FUNCTION todo.lock_as_user(me text)
 RETURNS json
 LANGUAGE plpgsql
AS $function$
begin
  perform pg_advisory_xact_lock(hashtextextended('"todo" hooks ' || me, 0));
  perform from "todo".users where id = me for no key update;
  return null;
end
$function$
;

CREATE OR REPLACE FUNCTION todo.lock_user(me text)
 RETURNS json
 LANGUAGE plpgsql
AS $function$
declare
  before constant text := coalesce(current_setting('todo.user_id', true), '');
  own text := set_config('todo.user_id', me, true);
  answer constant json := "todo".lock_as_user(me);
begin
  own := set_config('todo.user_id', before, true);
  return answer;
end
$function$
;

CREATE OR REPLACE FUNCTION todo.numbered(ids uuid[])
 RETURNS jsonb
 LANGUAGE sql
 IMMUTABLE
AS $function$
  select jsonb_object_agg(id, place) from unnest(ids) with ordinality numbered (id, place)
$function$
;

CREATE OR REPLACE FUNCTION todo.position_between(low text, high text)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE
AS $function$
declare
  digits constant text := '0123456789abcdef';
  width constant int := "todo".position_width(low);
  bounded boolean := left(low, width) = left(high, width);
  made text := left(low, width);
  at int := width;
  floor int;
  ceiling int;
begin
  loop
    at := at + 1;
    floor := greatest(strpos(digits, nullif(substr(low, at, 1), '')) - 1, 0);
    ceiling := case when bounded then greatest(strpos(digits, nullif(substr(high, at, 1), '')) - 1, 0) else 16 end;
    if ceiling - floor > 1 then
      return made || substr(digits, (floor + ceiling) / 2 + 1, 1);
    end if;
    made := made || substr(digits, floor + 1, 1);
    bounded := bounded and floor = ceiling;
  end loop;
end
$function$
;

CREATE OR REPLACE FUNCTION todo.position_for(current text, low text, high text, revision bigint)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE
AS $function$
  select case
    when (low is null or current collate "C" > low) and (high is null or current collate "C" < high) then current
    when high is null then "todo".last_position(revision)
    when low is null then "todo".first_position(revision)
    else "todo".position_between(low, high)
  end
$function$
;

CREATE OR REPLACE FUNCTION todo.position_spread(whole text, place bigint, total bigint)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE
AS $function$
  select whole || rtrim(lpad(to_hex(place * (16::numeric ^ digits)::bigint / (total + 1)), digits, '0'), '0')
  from (select length(to_hex(total)) + 1) width (digits)
$function$
;

CREATE OR REPLACE FUNCTION todo.position_width(key text)
 RETURNS integer
 LANGUAGE sql
 IMMUTABLE
AS $function$
  select 1 + case when ascii(key) < ascii('a') then 91 - ascii(key) else ascii(key) - 96 end
$function$
;

CREATE OR REPLACE FUNCTION todo.remove_words(me text, todo uuid, words text[])
 RETURNS integer
 LANGUAGE plpgsql
 SET enable_seqscan TO 'off'
AS $function$
declare
  count constant int := cardinality(words);
  at int := 1;
begin
  if count > 15 then
    execute 'delete from "todo".todo_words where owner_id = $1 and word = any($2) and todo_id = $3' using me, words, todo;
    return count;
  end if;
  if count & 8 > 0 then
    delete from "todo".todo_words
    where owner_id = me and word in (words[at + 0], words[at + 1], words[at + 2], words[at + 3], words[at + 4], words[at + 5], words[at + 6], words[at + 7]) and todo_id = todo;
    at := at + 8;
  end if;
  if count & 4 > 0 then
    delete from "todo".todo_words
    where owner_id = me and word in (words[at + 0], words[at + 1], words[at + 2], words[at + 3]) and todo_id = todo;
    at := at + 4;
  end if;
  if count & 2 > 0 then
    delete from "todo".todo_words
    where owner_id = me and word in (words[at + 0], words[at + 1]) and todo_id = todo;
    at := at + 2;
  end if;
  if count & 1 > 0 then
    delete from "todo".todo_words
    where owner_id = me and word = words[at + 0] and todo_id = todo;
    at := at + 1;
  end if;
  return count;
end
$function$
;

CREATE OR REPLACE FUNCTION todo.replace_words(me text, todo uuid, was text[], next text[])
 RETURNS integer
 LANGUAGE plpgsql
AS $function$
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
  return "todo".remove_words(me, todo, removed) + "todo".add_words(me, todo, added);
end
$function$
;

CREATE OR REPLACE FUNCTION todo.stored_words(t todo.todos)
 RETURNS text[]
 LANGUAGE plpgsql
 STABLE
AS $function$
begin
  if t.tags = '{}' then return t.title_words || t.description_words; end if;
  return t.title_words || t.description_words || array(select ' ' || tag from unnest(t.tags) tag);
end
$function$
;

CREATE OR REPLACE FUNCTION todo.todo_json(t todo.todos)
 RETURNS json
 LANGUAGE sql
 STABLE
AS $function$
  select json_build_object(
    'id', t.id,
    'title', t.title,
    'description', t.description,
    'completed', t.completed_at is not null,
    'completedAt', "todo".instant(t.completed_at),
    'priority', (array['none', 'low', 'medium', 'high'])[t.priority + 1],
    'due', case
      when t.due_date is not null then json_build_object('date', t.due_date)
      when t.due_time is not null then json_build_object('dateTime', t.due_time, 'timeZone', t.due_zone)
    end,
    'tags', t.tags,
    'listId', t.list_id,
    'position', t.position,
    'revision', t.revision,
    'createdAt', "todo".instant(t.created_at),
    'updatedAt', "todo".instant(t.updated_at),
    'deletedAt', "todo".instant(t.deleted_at)
  )
$function$
;

CREATE OR REPLACE FUNCTION todo.write(me text, op jsonb)
 RETURNS json
 LANGUAGE plpgsql
AS $function$
declare
  before constant text := coalesce(current_setting('todo.user_id', true), '');
  own text := set_config('todo.user_id', me, true);
  answer constant json := "todo".write_as_user(me, op);
begin
  own := set_config('todo.user_id', before, true);
  return answer;
end
$function$
;

CREATE OR REPLACE FUNCTION todo.write_all(me text, operations jsonb)
 RETURNS json
 LANGUAGE plpgsql
AS $function$
declare
  before constant text := coalesce(current_setting('todo.user_id', true), '');
  own text := set_config('todo.user_id', me, true);
  answer constant json := "todo".write_all_as_user(me, operations);
begin
  own := set_config('todo.user_id', before, true);
  return answer;
end
$function$
;

CREATE OR REPLACE FUNCTION todo.write_all_as_user(me text, operations jsonb)
 RETURNS json
 LANGUAGE plpgsql
AS $function$
declare
  answers json[] := '{}';
  answer json;
begin
  for index in 0 .. jsonb_array_length(operations) - 1 loop
    answer := "todo".write_as_user(me, operations->index);
    if answer->>'failure' is not null then
      raise exception using errcode = 'TODO0',
        message = json_build_object('failure', answer->'failure', 'current', answer->'current', 'index', index);
    end if;
    answers := answers || answer;
  end loop;
  return to_json(answers);
exception when sqlstate 'TODO0' then
  return sqlerrm::json;
end
$function$
;

CREATE OR REPLACE FUNCTION todo.write_as_user(me text, op jsonb)
 RETURNS json
 LANGUAGE plpgsql
AS $function$
declare
  account "todo".users;
begin
  select * into account from "todo".users where id = me for no key update;
  if not found then
    if op->>'op' <> 'put' then return json_build_object('failure', op->>'kind' || '-not-found'); end if;
    if op ? 'ifRevision' then return json_build_object('failure', 'revision-mismatch'); end if;
    if op->'fields'->>'list_id' is not null then return json_build_object('failure', 'list-not-found'); end if;
    insert into "todo".users (id) values (me) on conflict (id) do nothing;
    select * into strict account from "todo".users where id = me for no key update;
  end if;
  return "todo".write_locked(account, op);
end
$function$
;

CREATE OR REPLACE FUNCTION todo.write_held(account todo.users, op jsonb)
 RETURNS json
 LANGUAGE sql
AS $function$
  select "todo".write_locked(account, op)
$function$
;

CREATE OR REPLACE FUNCTION todo.write_list(me text, op jsonb, next_revision bigint, moment timestamp with time zone)
 RETURNS todo.outcome
 LANGUAGE plpgsql
AS $function$
declare
  was "todo".lists;
  next "todo".lists;
  anchor text;
  low text;
  high text;
  moved int := 0;
  ids uuid[];
  places jsonb;
begin
  select * into was from "todo".lists where owner_id = me and id = (op->>'id')::uuid;
  if was.id is null then
    if op->>'op' <> 'put' then return "todo".failed('list-not-found'); end if;
    if op ? 'ifRevision' then return "todo".failed('revision-mismatch'); end if;
  elsif was.deleted_at is not null and op->>'op' <> 'restore' then
    return "todo".failed(case op->>'op' when 'put' then 'in-trash' else 'list-not-found' end);
  elsif not "todo".expected(op, was.revision) then
    return "todo".failed('revision-mismatch', was.revision);
  end if;

  next := jsonb_populate_record(was, op->'fields');

  if was.id is null then
    next.id := (op->>'id')::uuid;
    next.position := "todo".last_position(next_revision);
    next.revision := next_revision;
    next.created_at := moment;
    next.updated_at := moment;
    insert into "todo".lists (owner_id, id, created_at, name, position, revision, updated_at, deleted_at)
    values (me, next.id, next.created_at, next.name, next.position, next.revision, next.updated_at, next.deleted_at);
    return "todo".done(1, "todo".list_json(next), true);
  end if;

  case op->>'op'
  when 'delete' then
    select array_agg(id order by position) into ids
    from "todo".todos where owner_id = me and list_id = was.id and deleted_at is null;
    if ids is not null then
      if not op ? 'todos' then return "todo".failed('list-not-empty'); end if;
      -- Each todo is a change with a revision of its own, after the list's.
      places := "todo".numbered(ids);
      update "todo".todos set
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
  when 'move' then
    select position into anchor from "todo".lists
    where owner_id = me and id = coalesce(op->>'before', op->>'after')::uuid and deleted_at is null;
    if not found then return "todo".failed('list-not-found'); end if;
    if op ? 'after' then
      low := anchor;
      select min(position) into high from "todo".lists where owner_id = me and position > anchor and id <> was.id;
    else
      select max(position) into low from "todo".lists where owner_id = me and position < anchor and id <> was.id;
      high := anchor;
    end if;
    if anchor <> was.position then
      next.position := "todo".position_for(was.position, low, high, next_revision);
    end if;
    if length(next.position) > 64 then
      low := left(next.position, "todo".position_width(next.position));
      select array_agg(id order by (case when id = was.id then next.position else position end) collate "C")
      into ids from "todo".lists where owner_id = me and (id = was.id or position >= low and position < low || 'g');
      places := "todo".numbered(ids);
      update "todo".lists set
        position = "todo".position_spread(low, (places->>id::text)::bigint, cardinality(ids)),
        revision = next_revision - 1 + (places->>id::text)::bigint,
        updated_at = moment
      where owner_id = me and id = any(ids);
      select * into next from "todo".lists where owner_id = me and id = was.id;
      return "todo".done(cardinality(ids), "todo".list_json(next));
    end if;
  else -- put and patch have set their fields already.
  end case;
  if next is not distinct from was then
    return "todo".done(0, "todo".list_json(was));
  end if;

  next.revision := next_revision;
  next.updated_at := moment;
  update "todo".lists set
    name = next.name, position = next.position, revision = next.revision, updated_at = next.updated_at, deleted_at = next.deleted_at
  where owner_id = me and id = next.id;
  return "todo".done(moved + 1, "todo".list_json(next));
end
$function$
;

CREATE OR REPLACE FUNCTION todo.write_locked(account todo.users, op jsonb)
 RETURNS json
 LANGUAGE plpgsql
AS $function$
declare
  me constant text := account.id;
  outcome "todo".outcome;
  moment timestamptz(3);
begin
  if account.disabled_at is not null then return json_build_object('failure', 'user-disabled'); end if;

  -- The clock may have been set back: times of one user never run backwards.
  moment := greatest(clock_timestamp(), account.written_at);
  if op->>'kind' = 'list' then
    outcome := "todo".write_list(me, op, account.revision + 1, moment);
  else
    outcome := "todo".write_todo(me, op, account.revision + 1, moment);
  end if;
  if outcome.failure is not null then
    return json_build_object('failure', outcome.failure, 'current', outcome.current);
  end if;
  if outcome.revisions > 0 then
    update "todo".users set revision = revision + outcome.revisions, written_at = moment where id = me;
  end if;
  return json_build_object('created', outcome.created, 'row', outcome.body);
end
$function$
;

CREATE OR REPLACE FUNCTION todo.write_once(me text, input jsonb, idempotency_key text, fingerprint text)
 RETURNS json
 LANGUAGE plpgsql
AS $function$
declare
  before constant text := coalesce(current_setting('todo.user_id', true), '');
  own text := set_config('todo.user_id', me, true);
  answer constant json := "todo".write_once_as_user(me, input, idempotency_key, fingerprint);
begin
  own := set_config('todo.user_id', before, true);
  return answer;
end
$function$
;

CREATE OR REPLACE FUNCTION todo.write_once_as_user(me text, input jsonb, idempotency_key text, fingerprint text)
 RETURNS json
 LANGUAGE plpgsql
AS $function$
declare
  stored "todo".idempotency_keys;
  expired text;
  answer json;
  day_ago constant timestamptz := now() - interval '24 hours';
begin
  if not pg_try_advisory_xact_lock(hashtextextended('"todo"' || length(me) || ':' || me || idempotency_key, 0)) then
    return json_build_object('failure', 'idempotency-key-in-use');
  end if;
  select * into stored from "todo".idempotency_keys where owner_id = me and key = idempotency_key;
  if stored.created_at > day_ago then
    perform from "todo".users where id = me and disabled_at is not null;
    if found then return json_build_object('failure', 'user-disabled'); end if;
    if stored.fingerprint <> fingerprint then return json_build_object('failure', 'idempotency-key-reused'); end if;
    return stored.answer;
  end if;

  answer := case jsonb_typeof(input) when 'array' then "todo".write_all_as_user(me, input) else "todo".write_as_user(me, input) end;
  if json_typeof(answer) = 'object' and answer->>'failure' is not null then return answer; end if;
  if stored.key is not null then
    delete from "todo".idempotency_keys where owner_id = me and key = idempotency_key;
  end if;
  -- Each write deletes up to ten expired answers of the user.
  for expired in
    select key from "todo".idempotency_keys where owner_id = me and created_at <= day_ago order by created_at limit 10
  loop
    delete from "todo".idempotency_keys where owner_id = me and key = expired;
  end loop;
  insert into "todo".idempotency_keys (owner_id, key, fingerprint, answer, created_at)
  values (me, idempotency_key, fingerprint, answer, clock_timestamp())
  -- Only a host transaction with an older snapshot gets here; it then fails as a concurrent write.
  on conflict (owner_id, key) do nothing;
  return answer;
end
$function$
;

CREATE OR REPLACE FUNCTION todo.write_todo(me text, op jsonb, next_revision bigint, moment timestamp with time zone)
 RETURNS todo.outcome
 LANGUAGE plpgsql
AS $function$
declare
  fields constant jsonb := op->'fields';
  was "todo".todos;
  next "todo".todos;
  ignored int; -- An assignment needs no executor, PERFORM does.
  anchor text;
  low text;
  high text;
  ids uuid[];
  places jsonb;
begin
  select * into was from "todo".todos where owner_id = me and id = (op->>'id')::uuid;
  if was.id is null then
    if op->>'op' <> 'put' then return "todo".failed('todo-not-found'); end if;
    if op ? 'ifRevision' then return "todo".failed('revision-mismatch'); end if;
  elsif was.deleted_at is not null and op->>'op' <> 'restore' then
    return "todo".failed(case op->>'op' when 'put' then 'in-trash' else 'todo-not-found' end);
  elsif not "todo".expected(op, was.revision) then
    return "todo".failed('revision-mismatch', was.revision);
  end if;

  next := jsonb_populate_record(was, fields);
  if fields ? 'completed' then
    next.completed_at := case when (fields->>'completed')::boolean then coalesce(was.completed_at, moment) end;
  end if;
  if next.list_id is distinct from was.list_id and next.list_id is not null then
    perform from "todo".lists where owner_id = me and id = next.list_id and deleted_at is null;
    if not found then return "todo".failed('list-not-found'); end if;
  end if;

  if was.id is null then
    next.id := (op->>'id')::uuid;
    next.position := "todo".last_position(next_revision);
    next.revision := next_revision;
    next.created_at := moment;
    next.updated_at := moment;
    insert into "todo".todos (owner_id, id, created_at, title, description, completed_at, priority, due_date, due_time, due_zone, tags, list_id, title_key, title_words, description_words, due_at, position, revision, updated_at, deleted_at)
    values (me, next.id, next.created_at, next.title, next.description, next.completed_at, next.priority, next.due_date, next.due_time, next.due_zone, next.tags, next.list_id, next.title_key, next.title_words, next.description_words, next.due_at, next.position, next.revision, next.updated_at, next.deleted_at);
    ignored := "todo".replace_words(me, next.id, '{}', "todo".stored_words(next));
    return "todo".done(1, "todo".todo_json(next), true);
  end if;

  case op->>'op'
  when 'delete' then
    next.deleted_at := moment;
  when 'restore' then
    next.deleted_at := null;
    perform from "todo".lists where owner_id = me and id = was.list_id and deleted_at is null;
    if not found then next.list_id := null; end if;
  when 'move' then
    select position into anchor from "todo".todos
    where owner_id = me and id = coalesce(op->>'before', op->>'after')::uuid and deleted_at is null;
    if not found then return "todo".failed('todo-not-found'); end if;
    if op ? 'after' then
      low := anchor;
      select min(position) into high from "todo".todos where owner_id = me and position > anchor and id <> was.id;
    else
      select max(position) into low from "todo".todos where owner_id = me and position < anchor and id <> was.id;
      high := anchor;
    end if;
    if anchor <> was.position then
      next.position := "todo".position_for(was.position, low, high, next_revision);
    end if;
    if length(next.position) > 64 then
      low := left(next.position, "todo".position_width(next.position));
      select array_agg(id order by (case when id = was.id then next.position else position end) collate "C")
      into ids from "todo".todos where owner_id = me and (id = was.id or position >= low and position < low || 'g');
      places := "todo".numbered(ids);
      update "todo".todos set
        position = "todo".position_spread(low, (places->>id::text)::bigint, cardinality(ids)),
        revision = next_revision - 1 + (places->>id::text)::bigint,
        updated_at = moment
      where owner_id = me and id = any(ids);
      select * into next from "todo".todos where owner_id = me and id = was.id;
      return "todo".done(cardinality(ids), "todo".todo_json(next));
    end if;
  else -- put and patch have set their fields already.
  end case;
  if next is not distinct from was then
    return "todo".done(0, "todo".todo_json(was));
  end if;

  next.revision := next_revision;
  next.updated_at := moment;
  update "todo".todos set
    title = next.title,
    description = next.description,
    completed_at = next.completed_at,
    priority = next.priority,
    due_date = next.due_date,
    due_time = next.due_time,
    due_zone = next.due_zone,
    tags = next.tags,
    list_id = next.list_id,
    title_key = next.title_key,
    title_words = next.title_words,
    description_words = next.description_words,
    due_at = next.due_at,
    position = next.position,
    revision = next.revision,
    updated_at = next.updated_at,
    deleted_at = next.deleted_at
  where owner_id = me and id = next.id;
  if next.title <> was.title or next.description is distinct from was.description or next.tags <> was.tags then
    ignored := "todo".replace_words(me, next.id, "todo".stored_words(was), "todo".stored_words(next));
  end if;
  return "todo".done(1, "todo".todo_json(next));
end
$function$
;
