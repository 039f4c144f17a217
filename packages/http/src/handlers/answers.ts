import type { IdempotencyKey } from "@todo/core"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { type EntityTags, etag } from "../api/Headers.ts"

interface Row {
  readonly id: string
  readonly revision: number
}

/** A row as it came from the database, which needs no second look, with its entity tag. */
export const tagged = (row: Row) => HttpServerResponse.jsonUnsafe(row, { headers: { etag: etag(row.revision) } })

/** The same, or 304 where the client has it already. */
export const taggedUnless = (known: EntityTags | undefined) => (row: Row) =>
  known === "*" || known?.includes(row.revision)
    ? HttpServerResponse.empty({ status: 304, headers: { etag: etag(row.revision) } })
    : tagged(row)

/** A new row, and where it is: below `path`. */
export const created = (path: string) => (row: Row) =>
  HttpServerResponse.jsonUnsafe(row, {
    status: 201,
    headers: { etag: etag(row.revision), location: `${path}/${row.id}` }
  })

/** What the headers of a write say of it. */
export const options = (headers: {
  readonly "if-match"?: EntityTags
  readonly "idempotency-key"?: IdempotencyKey
}) => ({ ifRevision: headers["if-match"], idempotencyKey: headers["idempotency-key"] })
