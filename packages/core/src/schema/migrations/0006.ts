/** Frozen: never edit this text. A test compares its checksum; whatever comes next is a migration with the next number. */

/** The todos that are done, in order. A todo that is open has no entry, so to create one costs nothing more. */
export const done = (s: string): ReadonlyArray<string> => [
  /* sql */ `create index todos_done on ${s}.todos (owner_id, position) where completed_at is not null`
]
