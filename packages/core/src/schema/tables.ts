/** A table with rows of users. */
interface OwnedTable {
  readonly name: string
  /** The column with the id of the user whose row it is. */
  readonly owner: "id" | "owner_id"
  /** What the role that servers run as may do with it. */
  readonly rights: ReadonlyArray<"select" | "insert" | "update" | "delete">
}

/**
 * Every table that has an owner, each after those that it refers to. Row-level security, grants, the order of erasure,
 * `doctor` and the tests of the catalogue and of isolation derive from this list. A new table is added here and in a
 * migration.
 */
export const ownedTables: ReadonlyArray<OwnedTable> = [
  { name: "users", owner: "id", rights: ["select", "insert", "update"] },
  { name: "lists", owner: "owner_id", rights: ["select", "insert", "update"] },
  { name: "todos", owner: "owner_id", rights: ["select", "insert", "update"] },
  { name: "todo_words", owner: "owner_id", rights: ["select", "insert", "delete"] },
  { name: "idempotency_keys", owner: "owner_id", rights: ["select", "insert", "delete"] }
]

/** What the role that servers run as may do with each table of ours: nothing else, and nothing with another table. */
export const rights: Readonly<Record<string, ReadonlyArray<string>>> = {
  migrations: ["select"],
  erasures: [],
  ...Object.fromEntries(ownedTables.map(({ name, rights }) => [name, rights]))
}

/** The tables of a user besides `users`, in the order in which they can be emptied. */
export const erasedTables: ReadonlyArray<string> = ownedTables
  .filter(({ owner }) => owner === "owner_id")
  .map(({ name }) => name)
  .toReversed()

/** Forces row-level security on every table, with the policy that compares the owner, unless it is there already. */
export const policies = (s: string): ReadonlyArray<string> =>
  ownedTables.map(({ name, owner }) => {
    const isOwn = `${owner} = nullif(current_setting('todo.user_id', true), '')`
    return /* sql */ `do $$ begin
  if not exists (select from pg_policy where polrelid = '${s}.${name}'::regclass and polname = 'own_rows') then
    alter table ${s}.${name} enable row level security, force row level security;
    create policy own_rows on ${s}.${name} for all using (${isOwn}) with check (${isOwn});
  end if;
end $$`
  })
