/**
 * The successful responses of endpoints whose resources are todos or lists.
 *
 * They are an optimisation: a service returns its resource as JSON already, so the body is not encoded by the schema of the
 * contract. That would take 2.5 µs of CPU for each todo, and 125 µs for a page of 50 (`node packages/http/bench/encoding.ts`).
 * To do without, encode the resource by its schema in `responses`.
 */
import type { IdempotencyKey, Page, Todo, TodoList } from "@todo/core"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { type EntityTags, etag } from "../api/Headers.ts"

/** The responses with a `Row`, which is found below the path `collection`. */
export const responses = <Row extends Todo | TodoList>(collection: string) => {
  /** 200 with the resource and its entity tag. */
  const ok = (row: Row) => HttpServerResponse.jsonUnsafe(row, { headers: { etag: etag(row.revision) } })

  return {
    ok,
    /** 304 if the client's `If-None-Match` has the current revision, else 200 with the resource. */
    okUnlessMatched: (ifNoneMatch: EntityTags | undefined) => (row: Row) =>
      ifNoneMatch === "*" || ifNoneMatch?.includes(row.revision)
        ? HttpServerResponse.empty({ status: 304, headers: { etag: etag(row.revision) } })
        : ok(row),
    /** 201 with the resource, its entity tag, and its address as `Location`. */
    created: (row: Row) =>
      HttpServerResponse.jsonUnsafe(row, {
        status: 201,
        headers: { etag: etag(row.revision), location: `${collection}/${row.id}` }
      }),
    /** 200 with a page. */
    page: (page: Page<Row>) => HttpServerResponse.jsonUnsafe(page)
  }
}

/** The options of a service's write that come from headers. */
export const writeOptions = (headers: {
  readonly "if-match"?: EntityTags
  readonly "idempotency-key"?: IdempotencyKey
}) => ({ ifRevision: headers["if-match"], idempotencyKey: headers["idempotency-key"] })
