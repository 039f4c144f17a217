import type { IdempotencyKey } from "@todo/core"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { type EntityTags, etag } from "../api/Headers.ts"

interface Resource {
  readonly id: string
  readonly revision: number
}

/**
 * 200 with the resource and its entity tag. The resource is not encoded by the contract's schema: the service returns it
 * as JSON already.
 */
export const ok = (resource: Resource) =>
  HttpServerResponse.jsonUnsafe(resource, { headers: { etag: etag(resource.revision) } })

/** 304 if the client's `If-None-Match` has the current revision, else 200 with the resource. */
export const okUnlessMatched = (ifNoneMatch: EntityTags | undefined) => (resource: Resource) =>
  ifNoneMatch === "*" || ifNoneMatch?.includes(resource.revision)
    ? HttpServerResponse.empty({ status: 304, headers: { etag: etag(resource.revision) } })
    : ok(resource)

/** 201 with the resource, its entity tag, and its address below `collection` as `Location`. */
export const created = (collection: string) => (resource: Resource) =>
  HttpServerResponse.jsonUnsafe(resource, {
    status: 201,
    headers: { etag: etag(resource.revision), location: `${collection}/${resource.id}` }
  })

/** The options of a service's write that come from headers. */
export const writeOptions = (headers: {
  readonly "if-match"?: EntityTags
  readonly "idempotency-key"?: IdempotencyKey
}) => ({ ifRevision: headers["if-match"], idempotencyKey: headers["idempotency-key"] })
