/** Names that servers of schema version 5 call, which may still run during an upgrade. A later migration drops them. */
export const formerNames = (s: string): ReadonlyArray<string> => [
  /* sql */ `create or replace function ${s}.write_held(account ${s}.users, op jsonb) returns json language sql as $$
  select ${s}.write_locked(account, op)
$$`
]
