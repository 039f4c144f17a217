/**
 * The statements of writes. There are two forms:
 *
 * - `write`, `writeAll`, `writeOnce` and `lockUser` call an entry point (`schema/functions/write.ts`), which sets the user
 *   (`$1`) itself. The call stands alone in `from`: Citus sends only such a call to the machine of the user.
 * - `writeUnlessLocked` and `writeOnceUnlessLocked` are for `BatchedScope` only, which sets the user. They take the lock on
 *   the user's row, and return no row if it is taken; the call then uses the first form.
 */
import type { SelectOf } from "../database/UserScopeSql.ts"
import { keyLifetime } from "./keyLifetime.ts"
import type { QuotedSchema } from "../schema/SchemaName.ts"

/** The answer of a write function as JSON. */
export type AnswerRow = readonly [answer: string]

/** The user's row as `locked.account`, or no row if another transaction holds its lock. It is the only lock that a write waits for. */
const unlessLocked = (schema: QuotedSchema) => /* sql */ `from (
  select u as account from ${schema}.users u where u.id = $1 for no key update skip locked offset 0
) locked`

/** One write. */
export const write = (schema: QuotedSchema): SelectOf<AnswerRow> =>
  /* sql */ `select w::text as answer from ${schema}.write($1, $2::jsonb) w`

/** One write, which returns no row instead of waiting for the user's lock. */
export const writeUnlessLocked = (schema: QuotedSchema): SelectOf<AnswerRow> =>
  /* sql */ `select ${schema}.write_locked(locked.account, $2::jsonb)::text as answer ${unlessLocked(schema)}`

/** A batch of writes, all of them or none. */
export const writeAll = (schema: QuotedSchema): SelectOf<AnswerRow> =>
  /* sql */ `select w::text as answer from ${schema}.write_all($1, $2::jsonb) w`

/** One write or a batch under the idempotency key `$3` with the fingerprint `$4`. */
export const writeOnce = (schema: QuotedSchema): SelectOf<AnswerRow> =>
  /* sql */ `select w::text as answer from ${schema}.write_once($1, $2::jsonb, $3, $4) w`

/** One write under an idempotency key, which returns no row instead of waiting for the user's lock. */
export const writeOnceUnlessLocked = (schema: QuotedSchema): SelectOf<AnswerRow> =>
  /* sql */ `select ${schema}.write_once($1, $2::jsonb, $3, $4)::text as answer ${unlessLocked(schema)}`

/** Locks the user until the end of the transaction. */
export const lockUser = (schema: QuotedSchema): SelectOf<readonly [answer: null]> =>
  /* sql */ `select w::text as answer from ${schema}.lock_user($1) w`

/** One row if the answer of a write under the key `$2` is stored and not older than 24 hours. */
export const storedAnswer = (
  schema: QuotedSchema
): SelectOf<readonly [key: string]> => /* sql */ `select key from ${schema}.idempotency_keys
where owner_id = $1 and key = $2 and created_at > now() - ${keyLifetime}`
