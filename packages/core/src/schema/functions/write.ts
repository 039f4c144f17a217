import { keyLifetime } from "../../writes/keyLifetime.ts"

/**
 * The entry points of all writes: `write` (one operation), `write_all` (a batch) and `write_once` (under an idempotency
 * key). Each takes the user first, sets `todo.user_id` where it runs, and sets it back, so that it needs no statement
 * around it: a router sends the call to the machine that holds the user's rows.
 *
 * They are functions because PostgreSQL asks the policy of an UPDATE before a `set_config` in the same statement has run:
 * a single statement would find no row. As functions they are one round trip, and atomic inside a transaction of the
 * host too. The same steps as separate statements cost three times as much.
 *
 * The lock on the user's row comes first. Writers of one user queue there, so two batches cannot deadlock, in whatever
 * order they name their rows, and a reader who has seen revision r has seen every change up to r.
 *
 * Every statement in these functions names one table, with `owner_id = me` (in `users`, `id = me`), and has no subquery on
 * a table: Citus runs only such statements on the machine of the user.
 */

/**
 * An entry point: runs `call` as the user `me`. If it fails, PostgreSQL takes the setting back with its subtransaction.
 * Assignments instead of `perform`: PostgreSQL evaluates them without starting an executor (4 µs each).
 */
const entryPoint = (
  s: string,
  name: string,
  parameters: string,
  call: string
) => /* sql */ `create or replace function ${s}.${name}(${parameters}) returns json language plpgsql as $$
declare
  before constant text := coalesce(current_setting('todo.user_id', true), '');
  own text := set_config('todo.user_id', me, true);
  answer constant json := ${s}.${call};
begin
  own := set_config('todo.user_id', before, true);
  return answer;
end
$$`

export const write = (s: string): ReadonlyArray<string> => [
  /* sql */ `create or replace function ${s}.write_as_user(me text, op jsonb) returns json language plpgsql as $$
declare
  account ${s}.users;
begin
  select * into account from ${s}.users where id = me for no key update;
  if not found then
    if op->>'op' <> 'put' then return json_build_object('failure', op->>'kind' || '-not-found'); end if;
    if op ? 'ifRevision' then return json_build_object('failure', 'revision-mismatch'); end if;
    if op->'fields'->>'list_id' is not null then return json_build_object('failure', 'list-not-found'); end if;
    insert into ${s}.users (id) values (me) on conflict (id) do nothing;
    select * into strict account from ${s}.users where id = me for no key update;
  end if;
  return ${s}.write_locked(account, op);
end
$$`,

  // Writes for a user whose row the transaction has locked and read.
  /* sql */ `create or replace function ${s}.write_locked(account ${s}.users, op jsonb) returns json language plpgsql as $$
declare
  me constant text := account.id;
  outcome ${s}.outcome;
  moment timestamptz(3);
begin
  if account.disabled_at is not null then return json_build_object('failure', 'user-disabled'); end if;

  -- The clock may have been set back: times of one user never run backwards.
  moment := greatest(clock_timestamp(), account.written_at);
  if op->>'kind' = 'list' then
    outcome := ${s}.write_list(me, op, account.revision + 1, moment);
  else
    outcome := ${s}.write_todo(me, op, account.revision + 1, moment);
  end if;
  if outcome.failure is not null then
    return json_build_object('failure', outcome.failure, 'current', outcome.current);
  end if;
  if outcome.revisions > 0 then
    update ${s}.users set revision = revision + outcome.revisions, written_at = moment where id = me;
  end if;
  return json_build_object('created', outcome.created, 'row', outcome.body);
end
$$`,

  // All operations or none. The block is a savepoint, so a failure undoes the operations before it inside a transaction
  // of the host too.
  /* sql */ `create or replace function ${s}.write_all_as_user(me text, operations jsonb) returns json language plpgsql as $$
declare
  answers json[] := '{}';
  answer json;
begin
  for index in 0 .. jsonb_array_length(operations) - 1 loop
    answer := ${s}.write_as_user(me, operations->index);
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
$$`,

  // A write under an idempotency key. The first answer is stored in the transaction of the write, and is returned again
  // for 24 hours, counted back from the start of the later transaction. A failure is not stored, so the key can be used
  // again. The advisory lock detects a request that is still running. It ends with the transaction.
  /* sql */ `create or replace function ${s}.write_once_as_user(me text, input jsonb, idempotency_key text, fingerprint text) returns json language plpgsql as $$
declare
  stored ${s}.idempotency_keys;
  expired text;
  answer json;
  day_ago constant timestamptz := now() - ${keyLifetime};
begin
  if not pg_try_advisory_xact_lock(hashtextextended('${s}' || length(me) || ':' || me || idempotency_key, 0)) then
    return json_build_object('failure', 'idempotency-key-in-use');
  end if;
  select * into stored from ${s}.idempotency_keys where owner_id = me and key = idempotency_key;
  if stored.created_at > day_ago then
    perform from ${s}.users where id = me and disabled_at is not null;
    if found then return json_build_object('failure', 'user-disabled'); end if;
    if stored.fingerprint <> fingerprint then return json_build_object('failure', 'idempotency-key-reused'); end if;
    return stored.answer;
  end if;

  answer := case jsonb_typeof(input) when 'array' then ${s}.write_all_as_user(me, input) else ${s}.write_as_user(me, input) end;
  if json_typeof(answer) = 'object' and answer->>'failure' is not null then return answer; end if;
  if stored.key is not null then
    delete from ${s}.idempotency_keys where owner_id = me and key = idempotency_key;
  end if;
  -- Each write deletes up to ten expired answers of the user.
  for expired in
    select key from ${s}.idempotency_keys where owner_id = me and created_at <= day_ago order by created_at limit 10
  loop
    delete from ${s}.idempotency_keys where owner_id = me and key = expired;
  end loop;
  insert into ${s}.idempotency_keys (owner_id, key, fingerprint, answer, created_at)
  values (me, idempotency_key, fingerprint, answer, clock_timestamp())
  -- Only a host transaction with an older snapshot gets here; it then fails as a concurrent write.
  on conflict (owner_id, key) do nothing;
  return answer;
end
$$`,

  // Locks the user until the end of the transaction. A user who has never written has no row to lock, so the advisory
  // lock comes first.
  /* sql */ `create or replace function ${s}.lock_as_user(me text) returns json language plpgsql as $$
begin
  perform pg_advisory_xact_lock(hashtextextended('${s} hooks ' || me, 0));
  perform from ${s}.users where id = me for no key update;
  return null;
end
$$`,

  entryPoint(s, "lock_user", "me text", "lock_as_user(me)"),
  entryPoint(s, "write", "me text, op jsonb", "write_as_user(me, op)"),
  entryPoint(s, "write_all", "me text, operations jsonb", "write_all_as_user(me, operations)"),
  entryPoint(
    s,
    "write_once",
    "me text, input jsonb, idempotency_key text, fingerprint text",
    "write_once_as_user(me, input, idempotency_key, fingerprint)"
  )
]
