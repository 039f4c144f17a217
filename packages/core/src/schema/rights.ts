/**
 * What the role that servers run as may do with each table: nothing else, and with no other table of ours. The grants
 * are made of it, and `doctor` compares with it.
 */
export const rights: Readonly<Record<string, ReadonlyArray<string>>> = {
  migrations: ["select"],
  users: ["select", "insert", "update"],
  lists: ["select", "insert", "update"],
  todos: ["select", "insert", "update"],
  todo_words: ["select", "insert", "delete"],
  idempotency_keys: ["select", "insert", "delete"],
  erasures: []
}
