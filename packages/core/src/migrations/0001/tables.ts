/**
 * The tables, their indexes and their policies. Every key and index leads with the owner.
 * Positions are unique at the end of a statement, for one statement may give out many anew.
 */
export const tables = (s: string): ReadonlyArray<string> => [
  // `revision` counts the user's changes, `horizon` is the revision up to which purged rows are forgotten.
  // Room on each page, since every write updates its user's row in place.
  `create table ${s}.users (
  id text collate "C" primary key check (char_length(id) between 1 and 255),
  revision bigint not null default 0,
  horizon bigint not null default 0,
  created_at timestamptz(3) not null default now(),
  written_at timestamptz(3) not null default now(),
  disabled_at timestamptz(3)
) with (fillfactor = 50)`,

  `create table ${s}.lists (
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
  `create unique index lists_by_revision on ${s}.lists (owner_id, revision)`,
  `create index lists_by_creation on ${s}.lists (owner_id, created_at, id)`,

  // A due date is a date, or a wall-clock time in a zone with its instant (`due_at`).
  // `title_key`, `title_words` and `description_words` are made by `internal/Words.ts`.
  `create table ${s}.todos (
  owner_id text collate "C" not null references ${s}.users (id),
  id uuid not null,
  title text not null check (char_length(title) between 1 and 500),
  title_key text collate "C" not null,
  title_words text[] not null,
  description text check (char_length(description) <= 10000),
  description_words text[] not null,
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
  constraint todos_by_position unique (owner_id, position) deferrable,
  foreign key (owner_id, list_id) references ${s}.lists (owner_id, id),
  check (due_date is null or due_time is null),
  check (num_nulls(due_time, due_zone, due_at) in (0, 3))
)`,
  `create unique index todos_by_revision on ${s}.todos (owner_id, revision)`,
  `create index todos_by_creation on ${s}.todos (owner_id, created_at, id)`,
  `create index todos_by_title on ${s}.todos (owner_id, title_key, id)`,
  `create index todos_by_priority on ${s}.todos (owner_id, priority, id)`,
  `create index todos_by_due_date on ${s}.todos (owner_id, due_date, id) where due_date is not null`,
  `create index todos_by_due_time on ${s}.todos (owner_id, due_at, id) where due_at is not null`,
  `create index todos_in_trash on ${s}.todos (owner_id, position) where deleted_at is not null`,
  `create index todos_by_list on ${s}.todos (owner_id, list_id, position) where list_id is not null`,

  // Which todos have which word, for search. A GIN index could not lead with the owner without an extension.
  `create table ${s}.todo_words (
  owner_id text collate "C" not null,
  word text collate "C" not null,
  todo_id uuid not null,
  primary key (owner_id, word, todo_id)
)`,

  // What a keyed write answered, for a day.
  `create table ${s}.idempotency_keys (
  owner_id text collate "C" not null,
  key text collate "C" not null check (char_length(key) between 1 and 255),
  fingerprint text not null,
  answer json not null,
  created_at timestamptz(3) not null,
  primary key (owner_id, key)
)`,
  `create index idempotency_keys_by_age on ${s}.idempotency_keys (owner_id, created_at)`,

  ...["users", "lists", "todos", "todo_words", "idempotency_keys"].flatMap((table) => {
    const isOwn = `${table === "users" ? "id" : "owner_id"} = nullif(current_setting('todo.user_id', true), '')`
    return [
      `alter table ${s}.${table} enable row level security, force row level security`,
      `create policy own_rows on ${s}.${table} for all using (${isOwn}) with check (${isOwn})`
    ]
  })
]
