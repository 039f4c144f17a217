-- The tables of `fair.ts`, filled with the same todos. The owner of the tables runs this; the server is another role, so
-- row-level security applies to it.
--
-- Under row-level security an index answers only leakproof operators. Comparisons of numbers, texts and times are leakproof.
-- Those of enums are not, so priorities are numbers. `@@` of full text search is not either, so a GIN index would never be
-- used: a search filters the todos of its user, 0.2 ms of 500 todos. With `@@` made leakproof by a superuser, a GIN index
-- on (owner_id, search) takes 2.4 ms, because each word has an entry for the todos of all users.
create schema fair;

create table fair.users (
  id text primary key,
  revision bigint not null default 0
);

create table fair.lists (
  owner_id text not null references fair.users,
  id uuid not null default gen_random_uuid(),
  name text not null check (char_length(name) between 1 and 200),
  primary key (owner_id, id)
);

-- Begins at the end of a due day in UTC; `immutable` is true for the ISO dates that the schema of the body lets through.
create function fair.due_at(due jsonb) returns timestamptz immutable language sql return
  case
    when due ? 'date' then ((due->>'date')::date + 1)::timestamp at time zone 'UTC'
    else (due->>'dateTime')::timestamp at time zone (due->>'timeZone')
  end;

create table fair.todos (
  owner_id text not null references fair.users,
  id uuid not null default gen_random_uuid(),
  title text not null check (char_length(title) between 1 and 500),
  description text check (char_length(description) <= 10000),
  priority smallint not null default 0 check (priority between 0 and 3),
  due jsonb,
  due_at timestamptz generated always as (fair.due_at(due)) stored,
  tags text[] not null default '{}' check (cardinality(tags) <= 20),
  list_id uuid,
  position text collate "C" not null,
  revision bigint not null,
  created_at timestamptz(3) not null default now(),
  updated_at timestamptz(3) not null default now(),
  completed_at timestamptz(3),
  deleted_at timestamptz(3),
  search tsvector not null generated always as (to_tsvector('simple', title || ' ' || coalesce(description, ''))) stored
);

create table fair.idempotency_keys (
  owner_id text not null,
  key text not null check (char_length(key) between 1 and 255),
  fingerprint text not null,
  answer json,
  created_at timestamptz not null default now(),
  primary key (owner_id, key)
);

insert into fair.users select id, revision from todo.users;
insert into fair.todos (
  owner_id, id, title, description, priority, due, tags, list_id, position, revision, created_at, updated_at, completed_at,
  deleted_at
)
select owner_id, id, title, description, priority,
  case when due_date is not null then jsonb_build_object('date', due_date) end, tags, list_id, position, revision,
  created_at, updated_at, completed_at, deleted_at
from todo.todos;

alter table fair.todos add primary key (owner_id, id);
alter table fair.todos add foreign key (owner_id, list_id) references fair.lists;
alter table fair.todos add unique (owner_id, position) deferrable;
create unique index on fair.todos (owner_id, revision);
create index on fair.todos (owner_id, created_at, id);
create index on fair.todos (owner_id, priority, created_at, id);
create index on fair.todos (owner_id, lower(title) collate "C", id);
create index on fair.todos (owner_id, due_at, id) where due_at is not null;
create index on fair.todos (owner_id, list_id, position) where list_id is not null;
create index on fair.todos (owner_id, position) where completed_at is not null;
create index on fair.todos (owner_id, position) where deleted_at is not null;
create index on fair.idempotency_keys (owner_id, created_at);

alter table fair.users enable row level security;
alter table fair.lists enable row level security;
alter table fair.todos enable row level security;
alter table fair.idempotency_keys enable row level security;
create policy own_rows on fair.users using (id = current_setting('app.user_id', true));
create policy own_rows on fair.lists using (owner_id = current_setting('app.user_id', true));
create policy own_rows on fair.todos using (owner_id = current_setting('app.user_id', true));
create policy own_rows on fair.idempotency_keys using (owner_id = current_setting('app.user_id', true));
