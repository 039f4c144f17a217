/**
 * The same todos for all contestants: 100 users with 500 each.
 */
import type { Client } from "pg"

export const users: ReadonlyArray<string> = Array.from({ length: 100 }, (_, n) => `user-${String(n).padStart(3, "0")}`)

/** Fills the tables of both; returns the ids of each user's todos. */
export const seed = async (client: Client): Promise<ReadonlyArray<ReadonlyArray<string>>> => {
  await client.query(
    `
create schema bench;
create table bench.todos (
  owner_id text not null, id uuid not null, title text not null, description text, priority text not null, due jsonb,
  tags text[] not null, list_id uuid, position text collate "C" not null, revision bigint not null,
  created_at timestamptz(3) not null default now(), updated_at timestamptz(3) not null default now(),
  completed_at timestamptz(3), deleted_at timestamptz(3), primary key (owner_id, id)
);
create index on bench.todos (owner_id, position);
insert into todo.users (id, revision) select 'user-' || lpad(n::text, 3, '0'), 500 from generate_series(0, 99) n;
insert into todo.todos (
  owner_id, id, title, title_key, title_words, description_words, priority, tags, position, revision, created_at, updated_at
)
select id, gen_random_uuid(), 'todo ' || n, 'todo ' || n, array['todo', n::text], '{}', n % 4, '{}',
  todo.last_position(n), n, now(), now()
from todo.users, generate_series(1, 500) n;
insert into todo.todo_words select owner_id, word, id from todo.todos, unnest(title_words) word;
insert into bench.todos (owner_id, id, title, priority, tags, position, revision)
select owner_id, id, title, (array['none', 'low', 'medium', 'high'])[priority + 1], tags, position, revision from todo.todos`
  )
  await client.query("vacuum analyze")
  const { rows } = await client.query<{ ids: Array<string> }>(
    "select array_agg(id::text order by position) ids from todo.todos group by owner_id order by owner_id"
  )
  return rows.map(({ ids }) => ids)
}
