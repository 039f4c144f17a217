/**
 * The users and todos, equal for all contestants. Every fifth todo is completed, every fourth has high priority, every
 * fourth a description, every third a tag, and every fifth a due date.
 */
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import type { Client } from "pg"
import type { BenchDatabase } from "./postgres.ts"

export interface Size {
  readonly users: number
  /** The number of todos of each user. */
  readonly todos: number
}

const verbs =
  "Call Write Read Buy Repair Clean Plan Book Cancel Order Check Send Paint Move Sort Water Test Sign Print Fix"
const nouns =
  "garden budget kitchen invoice letter report dentist bicycle holiday window carpet camera insurance passport battery " +
  "calendar contract drawer engine fence grocery heating island jacket kettle ladder mirror novel oven piano quilt " +
  "radio sofa table umbrella vacuum wallet yard zipper airport basement candle doorbell elevator flower guitar hammer"

/** The verb and noun of the n-th todo of each user. The first 900 todos have different pairs. */
export const titleOf = (n: number): string => `${verbs.split(" ")[n % 20] ?? ""} ${nouns.split(" ")[n % 47] ?? ""} ${n}`

const title = `(string_to_array('${verbs}', ' '))[n % 20 + 1] || ' ' || (string_to_array('${nouns}', ' '))[n % 47 + 1] || ' ' || n`

/** Fills the tables of this server with rows as it would have written them. */
export const seed = async (client: Client, { todos, users }: Size): Promise<void> => {
  await client.query(`
begin;
-- Turns off the checks of foreign keys, which are triggers. The inserted rows are valid by construction.
set local session_replication_role = replica;
set local work_mem = '256MB';
insert into todo.users (id, revision) select 'user-' || lpad(n::text, 6, '0'), ${todos} from generate_series(0, ${users - 1}) n;
insert into todo.todos (
  owner_id, id, title, title_key, title_words, description, description_words, priority, due_date, tags, position, revision,
  created_at, updated_at, completed_at
)
select owner.id, md5(owner.id || n)::uuid, title, lower(title), string_to_array(lower(title), ' '),
  description, coalesce(string_to_array(lower(description), ' '), '{}'), n % 4,
  case when n % 5 = 0 then date '2026-12-01' + n % 60 end, case when n % 3 = 0 then array['home'] else '{}' end,
  todo.last_position(n), n, moment, moment, case when n % 5 = 1 then moment end
from todo.users owner, generate_series(1, ${todos}) n, lateral (select
  ${title} as title,
  case when n % 4 = 0 then 'Before the weekend' end as description,
  date_trunc('milliseconds', now()) - interval '1 minute' * (${todos} - n) as moment
) t
order by owner.id, md5(owner.id || n)::uuid;
insert into todo.todo_words
select owner_id, word, id from todo.todos, unnest(title_words || description_words || array(select ' ' || tag from unnest(tags) tag)) word order by 1, 2, 3;
commit`)
  await client.query("vacuum analyze")
}

/** Makes the table of the peers with an index for each scenario, and fills it with the same todos. */
export const seedPeers = async (client: Client): Promise<void> => {
  await client.query(`
set maintenance_work_mem = '256MB';
create schema bench;
create extension btree_gin;
create sequence bench.last_position;
create table bench.users (id text primary key, revision bigint not null);
create table bench.todos (
  owner_id text not null,
  id uuid not null default gen_random_uuid(),
  title text not null,
  description text,
  priority text not null default 'none',
  due jsonb,
  tags text[] not null default '{}',
  list_id uuid,
  position text collate "C" not null default 'z' || lpad(to_hex(nextval('bench.last_position')), 12, '0'),
  revision bigint not null default 1,
  created_at timestamptz(3) not null default now(),
  updated_at timestamptz(3) not null default now(),
  completed_at timestamptz(3),
  deleted_at timestamptz(3),
  search tsvector not null generated always as (to_tsvector('simple', title || ' ' || coalesce(description, ''))) stored
);
insert into bench.users select id, revision from todo.users;
insert into bench.todos
select owner_id, id, title, description, (array['none', 'low', 'medium', 'high'])[priority + 1],
  case when due_date is not null then jsonb_build_object('date', due_date) end, tags, list_id, position, revision,
  created_at, updated_at, completed_at, deleted_at
from todo.todos;
alter table bench.todos add primary key (owner_id, id);
create index on bench.todos (owner_id, position);
create index on bench.todos (owner_id, priority, created_at, id);
create index on bench.todos (owner_id, updated_at);
create index on bench.todos using gin (owner_id, search)`)
  await client.query("vacuum analyze bench.todos, bench.users")
}

/** Makes the tables of the contestant that makes the same promises, and lets its role use them. */
export const seedFair = async ({ client, runtimeUrl }: BenchDatabase): Promise<void> => {
  const role = new URL(runtimeUrl).username
  await client.query(await readFile(join(import.meta.dirname, "contestants/fair.sql"), "utf8"))
  await client.query(`
grant usage on schema fair to ${role};
grant select, insert, update, delete on all tables in schema fair to ${role}`)
  await client.query("vacuum analyze fair.todos, fair.users")
}
