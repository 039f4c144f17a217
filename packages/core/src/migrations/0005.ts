import { write } from "./0001/write.ts"

/**
 * Whether the day of an idempotency key is over is a matter of when the transaction began. With hooks there was a moment
 * in which they were left out, since the key was good, and a later one in which it was not, and was written under again.
 * And no write has more than a hundred old keys to take along.
 */
export const keysForADay = (s: string): ReadonlyArray<string> =>
  write(s)
    .filter((statement) => statement.startsWith(`create function ${s}.write_once(`))
    .map((statement) => statement.replace("create function", "create or replace function"))
