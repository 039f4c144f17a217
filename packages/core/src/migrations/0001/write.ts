/** What the write functions share. */
export const outcomes = (s: string): ReadonlyArray<string> => [
  // How an operation ended: a failure (and the revision that stands against it), or the
  // row as it is now and how many revisions were used up, 0 where nothing changed.
  `create type ${s}.outcome as (failure text, current bigint, steps int, created boolean, body json)`,

  `create function ${s}.failed(failure text, current bigint default null) returns ${s}.outcome
language sql immutable as $$ select row(failure, current, 0, false, null)::${s}.outcome $$`,

  `create function ${s}.done(steps int, body json, created boolean default false) returns ${s}.outcome
language sql immutable as $$ select row(null, null, steps, created, body)::${s}.outcome $$`,

  // Whether a row that exists is as the operation expects it.
  `create function ${s}.expected(op jsonb, current bigint) returns boolean language sql immutable as $$
  select not op @> '{"ifAbsent": true}'
    and (not op ? 'ifRevision' or op->'ifRevision' = '"*"' or op->'ifRevision' @> to_jsonb(current))
$$`
]

/**
 * How a write function begins once it has read the row that `op` names into `was`: who may
 * go on. A row in the trash can only be restored, and only a `put` makes a new one.
 */
export const guard = (s: string, missing: string) => `
  if was.id is null then
    if op->>'op' <> 'put' then return ${s}.failed('${missing}'); end if;
    if op ? 'ifRevision' then return ${s}.failed('revision-mismatch'); end if;
  elsif was.deleted_at is not null and op->>'op' <> 'restore' then
    return ${s}.failed(case op->>'op' when 'put' then 'in-trash' else '${missing}' end);
  elsif not ${s}.expected(op, was.revision) then
    return ${s}.failed('revision-mismatch', was.revision);
  end if;`

/**
 * The doors of all writes: one operation, and several of which all or none happen.
 *
 * The lock on the user's row comes first. Writers of one user queue there, so nothing
 * below can deadlock, in whatever order two batches name their rows, and a reader that
 * has seen revision r has seen every change up to r.
 */
export const write = (s: string): ReadonlyArray<string> => [
  `create function ${s}.write(me text, op jsonb) returns json language plpgsql as $$
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
  return ${s}.write_held(account, op);
end
$$`,

  // The same for a user whose row the transaction holds already, as it is now.
  `create function ${s}.write_held(account ${s}.users, op jsonb) returns json language plpgsql as $$
declare
  me constant text := account.id;
  outcome ${s}.outcome;
  moment timestamptz(3);
begin
  if account.disabled_at is not null then return json_build_object('failure', 'user-disabled'); end if;

  -- Never before the last write, also where the clock was set back.
  moment := greatest(clock_timestamp(), account.written_at);
  if op->>'kind' = 'list' then
    outcome := ${s}.write_list(me, op, account.revision + 1, moment);
  else
    outcome := ${s}.write_todo(me, op, account.revision + 1, moment);
  end if;
  if outcome.failure is not null then
    return json_build_object('failure', outcome.failure, 'current', outcome.current);
  end if;
  if outcome.steps > 0 then
    update ${s}.users set revision = revision + outcome.steps, written_at = moment where id = me;
  end if;
  return json_build_object('created', outcome.created, 'row', outcome.body);
end
$$`,

  // The block is a savepoint: the first failure undoes what went before it, in a transaction of the host as well.
  `create function ${s}.write_all(me text, operations jsonb) returns json language plpgsql as $$
declare
  answers json[] := '{}';
  answer json;
begin
  for index in 0 .. jsonb_array_length(operations) - 1 loop
    answer := ${s}.write(me, operations->index);
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

  // A write under an idempotency key: the first answer is kept in the write's own transaction
  // and given again for a day, which ends with the transaction that looks. A failure is not
  // kept, so the key can be used again. The lock tells a key that is being used right now; it
  // ends with the transaction.
  `create function ${s}.write_once(me text, input jsonb, token text, print text) returns json language plpgsql as $$
declare
  kept ${s}.idempotency_keys;
  answer json;
  day_ago constant timestamptz := now() - interval '24 hours';
begin
  if not pg_try_advisory_xact_lock(hashtextextended('${s}' || length(me) || ':' || me || token, 0)) then
    return json_build_object('failure', 'idempotency-key-in-use');
  end if;
  select * into kept from ${s}.idempotency_keys where owner_id = me and key = token and created_at > day_ago;
  if found then
    if exists (select from ${s}.users where id = me and disabled_at is not null) then
      return json_build_object('failure', 'user-disabled');
    end if;
    if kept.fingerprint <> print then return json_build_object('failure', 'idempotency-key-reused'); end if;
    return kept.answer;
  end if;

  answer := case jsonb_typeof(input) when 'array' then ${s}.write_all(me, input) else ${s}.write(me, input) end;
  if json_typeof(answer) = 'object' and answer->>'failure' is not null then return answer; end if;
  delete from ${s}.idempotency_keys where owner_id = me and created_at <= day_ago and key = any(token || array(
    select key from ${s}.idempotency_keys where owner_id = me and created_at <= day_ago order by created_at limit 100
  ));
  insert into ${s}.idempotency_keys (owner_id, key, fingerprint, answer, created_at)
  values (me, token, print, answer, clock_timestamp())
  -- Only where a transaction of the host has an older snapshot: it fails as one of two that were too close.
  on conflict (owner_id, key) do nothing;
  return answer;
end
$$`
]
