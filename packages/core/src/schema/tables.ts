/** A table whose rows belong to users. */
interface OwnedTable {
  readonly name: string
  /** The column with the id of the user. */
  readonly owner: "id" | "owner_id"
  /** The grants of the runtime role, which servers connect as. */
  readonly rights: ReadonlyArray<"select" | "insert" | "update" | "delete">
}

/**
 * Every table with an owner. A table comes after the tables that its foreign keys refer to. Row-level security, grants,
 * the order of erasure, `doctor` and the tests of the catalogue and of isolation derive from this list. Add a new table
 * here and in a migration.
 */
export const ownedTables: ReadonlyArray<OwnedTable> = [
  { name: "users", owner: "id", rights: ["select", "insert", "update"] },
  { name: "lists", owner: "owner_id", rights: ["select", "insert", "update"] },
  { name: "todos", owner: "owner_id", rights: ["select", "insert", "update"] },
  { name: "todo_words", owner: "owner_id", rights: ["select", "insert", "delete"] },
  { name: "idempotency_keys", owner: "owner_id", rights: ["select", "insert", "delete"] }
]

/** All grants of the runtime role, by table. `doctor` reports any other grant. */
export const rights: Readonly<Record<string, ReadonlyArray<string>>> = {
  migrations: ["select"],
  search_form: ["select"],
  erasures: [],
  ...Object.fromEntries(ownedTables.map(({ name, rights }) => [name, rights]))
}

/** The tables with rows of a user except `users`, in an order of deletion that respects the foreign keys. */
export const erasedTables: ReadonlyArray<string> = ownedTables
  .filter(({ owner }) => owner === "owner_id")
  .map(({ name }) => name)
  .toReversed()
