import { write } from "./0001/write.ts"

/**
 * When the day of an idempotency key ends, from the beginning of the transaction: with hooks it was another moment that
 * they were left out by, and a key whose day ended in between wrote without them. And no write has more than a hundred
 * old keys to take along.
 */
export const keysForADay = (s: string): ReadonlyArray<string> =>
  write(s)
    .filter((statement) => statement.startsWith(`create function ${s}.write_once(`))
    .map((statement) => statement.replace("create function", "create or replace function"))
