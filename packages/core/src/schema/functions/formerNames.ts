/** Names of the release before, which servers that still run during an upgrade call. A later migration drops them. */
export const formerNames = (s: string): ReadonlyArray<string> => [
  /* sql */ `create or replace function ${s}.write_held(account ${s}.users, op jsonb) returns json language sql as $$
  select ${s}.write_locked(account, op)
$$`
]
