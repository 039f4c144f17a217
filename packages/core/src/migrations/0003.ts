/**
 * What an installation remembers of the users that were erased: the highest number that any of them got to, and
 * nobody's id. Whoever begins to write, begins behind it. An id that was erased may come back, and then neither its
 * entity tags nor its cursors mean anything that they meant before: those cursors are below the new user's horizon.
 *
 * A column's default, so that it holds for whatever inserts a user. One row, and its owner's alone: the role that
 * serves gets the number through the function.
 */
export const erasures = (s: string): ReadonlyArray<string> => [
  `create table ${s}.erasures (revision bigint not null)`,
  `insert into ${s}.erasures values (0)`,
  `alter table ${s}.erasures enable row level security, force row level security`,
  `create policy owner_only on ${s}.erasures for all to current_user using (true)`,

  `create function ${s}.first_revision() returns bigint language sql stable security definer set search_path = ''
as $$ select revision from ${s}.erasures $$`,
  `alter table ${s}.users
  alter column revision set default ${s}.first_revision(),
  alter column horizon set default ${s}.first_revision()`
]
