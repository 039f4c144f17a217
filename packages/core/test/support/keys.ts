/** Creates idempotency keys for tests, and reads and ages the stored ones. */
import { randomUUID } from "node:crypto"
import { CurrentUser, IdempotencyKey } from "@todo/core"
import { Effect } from "effect"
import { asSuperuser } from "./connections.ts"
import { query } from "./suite.ts"

export const newKey = () => IdempotencyKey.make(`key-${randomUUID()}`)

/** The options of a write under a key. */
export const under = (idempotencyKey: IdempotencyKey) => ({ idempotencyKey })

/** The stored keys of the current user. */
export const kept = Effect.gen(function* () {
  const { id } = yield* CurrentUser
  const rows = yield* asSuperuser(
    query<{ key: string }>("select key from todo.idempotency_keys where owner_id = $1", [id])
  )
  return rows.map(({ key }) => key)
})

/** Makes the stored keys of the current user older. */
export const age = (by: string) =>
  Effect.gen(function* () {
    const { id } = yield* CurrentUser
    yield* asSuperuser(
      query("update todo.idempotency_keys set created_at = created_at - $2::interval where owner_id = $1", [id, by])
    )
  })
