/**
 * What operators see: who there is, and nothing of what users have. It opens `users` alone, for reading, to the
 * owner of the tables, and only where a transaction says that it looks past one user (`internal/UserScope.ts`).
 * The role that serves has no such policy.
 */
export const operators = (s: string): ReadonlyArray<string> => [
  `create policy operators_read on ${s}.users for select to current_user
  using (current_setting('todo.operator', true) = 'on')`
]
