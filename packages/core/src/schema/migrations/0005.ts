/** Frozen: never edit this text. A test compares its checksum; whatever comes next is a migration with the next number. */

/**
 * Users, lists, todos, words and idempotency keys, with their indexes and policies. It makes what the first five
 * migrations made; a database that they made goes on from here.
 */
export const baseline = (s: string): ReadonlyArray<string> => [
  /* sql */ `create type ${s}.outcome as (failure text, current bigint, steps int, created boolean, body json)`,

  // The highest revision that any erased user had. Whoever begins to write begins behind it, so that cursors and entity
  // tags of an erased user never match those of a new user with the same id. One row, which only the owner may read:
  // other roles get the number through the function.
  /* sql */ `create table ${s}.erasures (revision bigint not null)`,
  /* sql */ `insert into ${s}.erasures values (0)`,
  /* sql */ `create function ${s}.first_revision() returns bigint language sql stable security definer set search_path = ''
as $$ select revision from ${s}.erasures $$`,

  // `revision` counts the user's changes; `horizon` is the revision up to which purged rows are forgotten. Every write
  // updates its user's row, so half of each page is left free for the new versions.
  /* sql */ `create table ${s}.users (
  id text collate "C" primary key check (char_length(id) between 1 and 255),
  revision bigint not null default ${s}.first_revision(),
  horizon bigint not null default ${s}.first_revision(),
  created_at timestamptz(3) not null default now(),
  written_at timestamptz(3) not null default now(),
  disabled_at timestamptz(3)
) with (fillfactor = 50)`,

  // Positions are unique at the end of a statement, because one statement may give out many anew.
  /* sql */ `create table ${s}.lists (
  owner_id text collate "C" not null references ${s}.users (id),
  id uuid not null,
  name text not null check (char_length(name) between 1 and 200),
  position text collate "C" not null,
  revision bigint not null,
  created_at timestamptz(3) not null,
  updated_at timestamptz(3) not null,
  deleted_at timestamptz(3),
  primary key (owner_id, id),
  constraint lists_by_position unique (owner_id, position) deferrable
)`,
  /* sql */ `create unique index lists_by_revision on ${s}.lists (owner_id, revision)`,
  /* sql */ `create index lists_by_creation on ${s}.lists (owner_id, created_at, id)`,

  // A due date is a date, or a wall-clock time in a zone with its instant (`due_at`).
  /* sql */ `create table ${s}.todos (
  owner_id text collate "C" not null references ${s}.users (id),
  id uuid not null,
  title text not null,
  title_key text collate "C" not null,
  title_words text[] not null,
  description text,
  description_words text[] not null,
  priority smallint not null,
  due_date date,
  due_time timestamp(0),
  due_zone text,
  due_at timestamptz(3),
  tags text[] not null,
  list_id uuid,
  position text collate "C" not null,
  revision bigint not null,
  created_at timestamptz(3) not null,
  updated_at timestamptz(3) not null,
  completed_at timestamptz(3),
  deleted_at timestamptz(3),
  primary key (owner_id, id),
  constraint todos_by_position unique (owner_id, position) deferrable,
  foreign key (owner_id, list_id) references ${s}.lists (owner_id, id)
)`,
  // One function for all checks of a todo: PostgreSQL reads the text of each constraint anew for every statement that
  // writes to the table, and keeps a compiled function.
  /* sql */ `create function ${s}.is_todo(t ${s}.todos) returns boolean language plpgsql immutable as $$
begin
  return char_length(t.title) between 1 and 500
    and (t.description is null or char_length(t.description) <= 10000)
    and t.priority between 0 and 3
    and cardinality(t.tags) <= 20
    and (t.due_date is null or t.due_time is null)
    and num_nulls(t.due_time, t.due_zone, t.due_at) in (0, 3);
end
$$`,
  /* sql */ `alter table ${s}.todos add constraint is_todo check (${s}.is_todo(todos))`,
  /* sql */ `create unique index todos_by_revision on ${s}.todos (owner_id, revision)`,
  /* sql */ `create index todos_by_creation on ${s}.todos (owner_id, created_at, id)`,
  /* sql */ `create index todos_by_title on ${s}.todos (owner_id, title_key, id)`,
  /* sql */ `create index todos_by_priority on ${s}.todos (owner_id, priority, id)`,
  /* sql */ `create index todos_by_due_date on ${s}.todos (owner_id, due_date, id) where due_date is not null`,
  /* sql */ `create index todos_by_due_time on ${s}.todos (owner_id, due_at, id) where due_at is not null`,
  /* sql */ `create index todos_in_trash on ${s}.todos (owner_id, position) where deleted_at is not null`,
  /* sql */ `create index todos_by_list on ${s}.todos (owner_id, list_id, position) where list_id is not null`,

  // Which todos have which word, for search. A GIN index could not lead with the owner without an extension.
  /* sql */ `create table ${s}.todo_words (
  owner_id text collate "C" not null,
  word text collate "C" not null,
  todo_id uuid not null,
  primary key (owner_id, word, todo_id)
)`,

  // The answer to a write under a key, kept for a day.
  /* sql */ `create table ${s}.idempotency_keys (
  owner_id text collate "C" not null,
  key text collate "C" not null check (char_length(key) between 1 and 255),
  fingerprint text not null,
  answer json not null,
  created_at timestamptz(3) not null,
  primary key (owner_id, key)
)`,
  /* sql */ `create index idempotency_keys_by_age on ${s}.idempotency_keys (owner_id, created_at)`,

  ...["users", "lists", "todos", "todo_words", "idempotency_keys"].flatMap((table) => {
    const isOwn = `${table === "users" ? "id" : "owner_id"} = nullif(current_setting('todo.user_id', true), '')`
    return [
      `alter table ${s}.${table} enable row level security, force row level security`,
      `create policy own_rows on ${s}.${table} for all using (${isOwn}) with check (${isOwn})`
    ]
  }),
  /* sql */ `alter table ${s}.erasures enable row level security, force row level security`,
  /* sql */ `create policy owner_only on ${s}.erasures for all to current_user using (true)`,
  // The owner of the tables sees who there is, and nothing of what users have, in a transaction that says so.
  /* sql */ `create policy operators_read on ${s}.users for select to current_user
  using (current_setting('todo.operator', true) = 'on')`
]
